#!/bin/sh
# A deaf daemon with a stopped process and one without environment below it.
. "${0%/*}/main.sh"
setsid nohup "$sh" -c '
  trap "" TERM; cd /
  ( env -i "$1" "$2" "$3" "$4" & )
  ( "$1" "$2" "$3" "$4" & )
  ( "$1" -c "kill -STOP \$\$; \$0 60" "$3/sleep" & )
' sh "$sh" "$holder" "$folder" "$name" >/dev/null 2>&1 &
rest
