#!/bin/sh
# Speaks as nvidia-smi does (format: NVIDIA's documentation of --query-gpu and --query-compute-apps; the values are synthetic).
# Beside it: `calls` gets a line per call, `mode` says how it is, `gpus.csv` and `processes.csv` are what it prints.
here=$(dirname "$0")
echo "$*" >>"$here/calls"
case $(cat "$here/mode" 2>/dev/null) in
  hangs) trap '' TERM; sleep 600 & wait; wait ;;
  fails) echo "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that the latest NVIDIA driver is installed and running."; exit 9 ;;
  old) case "$*" in *power.draw*) echo 'Field "power.draw" is not a valid field to query.'; exit 2 ;; esac ;;
  endless) exec cat /dev/zero ;;
esac
case "$*" in
  *--query-compute-apps=*) cat "$here/processes.csv" ;;
  *--query-gpu=*) cat "$here/gpus.csv" ;;
esac
