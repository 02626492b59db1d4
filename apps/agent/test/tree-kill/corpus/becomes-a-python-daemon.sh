#!/bin/sh
# A daemon as a program in Python makes one of itself.
. "${0%/*}/main.sh"
"$folder/python3" "${0%/*}/daemon.py" "$folder" "$name"
rest
