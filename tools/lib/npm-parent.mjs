/**
 * Under npm there is a shell between npm and us, and a signal that is sent to npm ends that shell and not us. So when our
 * parent is gone we take it as the signal to stop; without npm, whoever started us may go.
 */
export function endWithNpm() {
  if (process.env.npm_lifecycle_event === undefined || process.platform === 'win32') return;
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    process.kill(process.pid, 'SIGTERM');
  }, 500);
  watch.unref();
}
