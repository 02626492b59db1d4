#!/bin/sh
# The same, in a new session each time.
. "${0%/*}/main.sh"
"$folder/python3" "${0%/*}/racer.py" "$folder" "$name" sessions &
rest
