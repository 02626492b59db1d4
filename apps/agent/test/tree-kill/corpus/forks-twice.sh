#!/bin/sh
# A grandchild whose parent is gone.
. "${0%/*}/main.sh"
( ( "$sh" "$holder" "$folder" "$name" & ) & )
rest
