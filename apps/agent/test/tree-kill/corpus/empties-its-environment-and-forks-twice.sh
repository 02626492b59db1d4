#!/bin/sh
# No variable and no parent, but still the session of the job.
. "${0%/*}/main.sh"
( ( env -i "$sh" "$holder" "$folder" "$name" & ) & )
rest
