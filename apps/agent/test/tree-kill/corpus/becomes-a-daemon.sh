#!/bin/sh
# All that a daemon does: own session, two forks, root as its folder, no descriptors.
. "${0%/*}/main.sh"
setsid "$sh" -c 'umask 0; cd /; exec <&- >&- 2>&- 3<&- 4<&- 5<&- 6<&-; "$@" &' sh "$sh" "$holder" "$folder" "$name" &
rest
