exec 3<&- 4<&- 5<&- 6<&- 7<&- 8<&- 9<&-
trap : TERM INT HUP
IFS=' ' _h_root=$PWD _h_ready=${1-} _h_cgr=${2-}
read -r _h_boot </proc/sys/kernel/random/boot_id || exit 70
_h_me() { read -r _h_l </proc/self/stat; _h_p=${_h_l%% *}; set -- ${_h_l##*) }; _h_s=${20}; }
_h_me; _h_sup="s $_h_boot $_h_p $_h_s"
exec 2>/dev/null
_h_child() {
  [ -z "$_h_c" ] || { echo 0 >"$_h_c/cgroup.procs"; } 2>/dev/null || exit 125
  _h_me
  read -r _h_do _h_i && [ "$_h_do $_h_i" = "s $_h_id" ] || exit 125
  read -r _h_up _ </proc/uptime
  { read -r _h_dl _ <"$_h_d/deadline" && [ "${_h_up%.*}" -ge "$_h_dl" ]; } 2>/dev/null && exit 125
  set -C
  { printf '%s\ni %s %s %s .\n' "$_h_sup" "$_h_p" "$_h_s" "$_h_up" >"$_h_d/ident"; } 2>/dev/null || {
    _h_l=; { read -r _h_l <"$_h_d/ident"; [ "$_h_l" != "$_h_sup" ] || true >"$_h_d/noexec"; } 2>/dev/null
    exit 125
  }
  trap 'true >"$_h_d/noexec"' EXIT
  true >"$_h_d/out.log" || exit 125; set +C
  exec </dev/null >>"$_h_d/out.log" 2>&1
  . "$_h_d/run"
  exit 126
}
while read -r _h_do _h_id _h_c; do
  case $_h_do in
    p) ;;
    s) printf 'r %s\n' "$_h_id"; continue ;;
    *) continue ;;
  esac
  _h_d=$_h_root/$_h_id
  [ -z "$_h_c" ] || _h_c=$_h_cgr/$_h_id
  [ ! -e "$_h_d/ident" ] && { command exec 2<>"$_h_ready/$_h_id/status" || command exec 2<>"$_h_d/status"; } ||
    { printf 'u %s\n' "$_h_id"; continue; }
  ( _h_child )
  _h_rc=$?
  [ "$_h_rc" = 0 ] || {
    _h_l=; { read -r _h_l <"$_h_d/ident"; } 2>/dev/null
    [ "$_h_l" = "$_h_sup" ] || { exec 2>/dev/null; printf 'u %s\n' "$_h_id"; continue; }
  }
  if [ -n "$_h_c" ]; then
    _h_n=0
    while read -r _; do _h_n=$((_h_n + 1)); done <"$_h_c/cgroup.procs"
    [ "$_h_n" = 0 ] || { echo "$_h_n" >"$_h_d/leftovers"; echo 1 >"$_h_c/cgroup.kill"; }
  fi
  read -r _h_up _ </proc/uptime
  printf 'x %s %s .\n' "$_h_rc" "$_h_up" >&2
  exec 2>/dev/null
  printf 'e %s %s\n' "$_h_rc" "$_h_id"
done
