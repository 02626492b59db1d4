#!/bin/sh
# A child in its own session that stands still, and a job that stands still with its whole group.
. "${0%/*}/main.sh"
setsid "$sh" -c 'echo beat >>"$1"; kill -STOP $$; "$2" 60' sh "$folder/beats/$name" "$folder/sleep" &
[ "$mode" = leaves ] || { until [ -s "$folder/beats/$name" ]; do "$folder/sleep" 0.02; done; echo ready; kill -STOP 0; }
rest
