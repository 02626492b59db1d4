#!/bin/sh
# A child in a session of its own.
. "${0%/*}/main.sh"
setsid "$sh" "$holder" "$folder" "$name" &
rest
