#!/bin/sh
# Counts to ten, telling progress, a metric and a result through plain files. Runs by hand too.
set -eu
total=0
for step in 1 2 3 4 5 6 7 8 9 10; do
  total=$((total + step))
  echo "step $step, total $total"
  echo "{\"step\":$step,\"total\":$total}" >> "${MUSTER_METRICS:-/dev/null}"
  echo "$((step / 10)).$((step % 10)) step $step of 10" >> "${MUSTER_PROGRESS:-/dev/null}"
  sleep 0.2
done
echo "{\"total\":$total}" > "${MUSTER_RESULT:-/dev/null}"
