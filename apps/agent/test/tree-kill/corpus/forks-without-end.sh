#!/bin/sh
# A child that forks away from its own pid about 200 times a second.
. "${0%/*}/main.sh"
"$folder/python3" "${0%/*}/racer.py" "$folder" "$name" &
rest
