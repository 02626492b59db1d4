/**
 * The warm supervisor of one slot: plain POSIX sh, no fork but the job's own.
 *
 * It reads a line to prepare a start and a line to carry it out, and writes one line per event:
 *
 *     p ID [c]   fork the process that will be the job, let it enter the cgroup `$2/ID` if `c`, and wait there
 *     s ID       start it                    d ID   give it up: nothing of it ever ran
 *     e RC ID    its end is on disk          r ID   nothing is prepared to start      u ID   no longer prepared
 *
 * After `s` both `r` and `u` mean that this supervisor ran nothing: the prepared process had gone, its deadline was over, or
 * somebody else had claimed the directory.
 *
 * Preparing is apart because it is what takes long: a kernel at rest waits out a grace period of 10 to 20 ms before a
 * process changes its group. Files in the attempt's directory are the truth, the lines are hints. The order of writing is
 * the whole trick:
 *
 *     claim (ident line 1, O_EXCL) → identity (ident line 2) → go (O_EXCL) → exec … → status, in place → event line
 *
 * Whoever creates the output decides whether the job runs: the job's own process, whose word to itself to go it is, or a
 * recovering agent that forbids it. One file is both, because files are most of what a short job costs.
 * The agent's death is end of file on stdin, which parent and prepared child read in turn: an idle supervisor ends with its
 * child, a busy one finishes its job and writes its end first.
 *
 * Do not "simplify" these: `true >file` and `command exec` because a failed redirection of a special builtin ends the
 * shell; `trap :` and not `trap ''` because ignored signals are inherited by the job; the event is written last because
 * writing to a dead agent kills the writer; the status is opened before the claim but written only after the claim was
 * found to be one's own, or a refused second start would overwrite a finished job's record; it is looked for where
 * directories are made ahead first, because they move only away from there; its text is opened `<>`, so that it works on
 * a full disk. The first line closes what the agent may have inherited from whoever started it; a shell cannot name
 * descriptors above 9; a process that has not claimed leaves without a word, because the end that its supervisor writes is
 * that of a claim; no process leaves with 0 before it has become the job, so that a 0 needs no look at whose claim it was;
 * the fields of `stat` are cut by `read`, because cutting the name of a program that may hold spaces and brackets, which `sh`
 * does not, took a shell longer than all else it does for a job but its forks.
 */
export const SLOT_SCRIPT = `exec 3<&- 4<&- 5<&- 6<&- 7<&- 8<&- 9<&-
trap : TERM INT HUP
IFS=' ' _h_root=$PWD _h_ready=\${1-} _h_cgr=\${2-}
read -r _h_boot </proc/sys/kernel/random/boot_id || exit 70
_h_me() { read -r _h_p _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _h_s _ </proc/self/stat; }
_h_me; _h_sup="s $_h_boot $_h_p $_h_s"
exec 2>/dev/null
_h_child() {
  [ -z "$_h_c" ] || { echo 0 >"$_h_c/cgroup.procs"; } 2>/dev/null || exit 125
  _h_me
  read -r _h_do _h_i && [ "$_h_do $_h_i" = "s $_h_id" ] || exit 125
  read -r _h_up _ </proc/uptime
  { read -r _h_dl _ <"$_h_d/deadline" && [ "\${_h_up%.*}" -ge "$_h_dl" ]; } 2>/dev/null && exit 125
  set -C
  { printf '%s\\ni %s %s %s .\\n' "$_h_sup" "$_h_p" "$_h_s" "$_h_up" >"$_h_d/ident"; } 2>/dev/null || {
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
    s) printf 'r %s\\n' "$_h_id"; continue ;;
    *) continue ;;
  esac
  _h_d=$_h_root/$_h_id
  [ -z "$_h_c" ] || _h_c=$_h_cgr/$_h_id
  [ ! -e "$_h_d/ident" ] && { command exec 2<>"$_h_ready/$_h_id/status" || command exec 2<>"$_h_d/status"; } ||
    { printf 'u %s\\n' "$_h_id"; continue; }
  ( _h_child )
  _h_rc=$?
  [ "$_h_rc" = 0 ] || {
    _h_l=; { read -r _h_l <"$_h_d/ident"; } 2>/dev/null
    [ "$_h_l" = "$_h_sup" ] || { exec 2>/dev/null; printf 'u %s\\n' "$_h_id"; continue; }
  }
  if [ -n "$_h_c" ]; then
    _h_n=0
    while read -r _; do _h_n=$((_h_n + 1)); done <"$_h_c/cgroup.procs"
    [ "$_h_n" = 0 ] || { echo "$_h_n" >"$_h_d/leftovers"; echo 1 >"$_h_c/cgroup.kill"; }
  fi
  read -r _h_up _ </proc/uptime
  printf 'x %s %s .\\n' "$_h_rc" "$_h_up" >&2
  exec 2>/dev/null
  printf 'e %s %s\\n' "$_h_rc" "$_h_id"
done
`;

/** Length of the reserved status file. Made of newlines by the agent before the start, overwritten in place at the end. */
export const STATUS_BYTES = 4096;
