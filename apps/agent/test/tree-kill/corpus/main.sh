# Sourced by every job of the corpus, which is called with:
#   $1 folder with marked copies of `sh` and `sleep`, a link `python3` where there is one, and a folder `beats`
#   $2 name of the heart that beats there
#   $3 `stays`: lives until it is killed; `leaves`: ends with 5 once the file `leave` is in the folder
folder=$1 name=$2 mode=$3
sh=$folder/sh
holder=${0%/*}/holds-on.sh

# Until somebody beats under the name, says so, and then does what the mode says.
rest() {
  until [ -s "$folder/beats/$name" ]; do "$folder/sleep" 0.02; done
  echo ready
  while [ "$mode" = stays ] || ! [ -e "$folder/leave" ]; do "$folder/sleep" 0.05; done
  exit 5
}
