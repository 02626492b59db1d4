#!/bin/sh
# Job and child are deaf to the stop signal.
. "${0%/*}/main.sh"
trap '' TERM
"$sh" "$holder" "$folder" "$name" &
rest
