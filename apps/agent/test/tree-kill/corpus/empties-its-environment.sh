#!/bin/sh
# A child without a single variable.
. "${0%/*}/main.sh"
env -i "$sh" "$holder" "$folder" "$name" &
rest
