#!/bin/sh
# A child that is to outlive its terminal.
. "${0%/*}/main.sh"
nohup "$sh" "$holder" "$folder" "$name" >/dev/null 2>&1 &
rest
