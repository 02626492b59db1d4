/**
 * Keeps one PostgreSQL for all test processes of a machine's user, and ends it after the last of them. Test processes
 * hold a connection to the socket named by the first argument for as long as they live, however they end; they are told
 * the data directory and say which server they started on it. Plain JavaScript, because it runs before anything is built.
 */
import { mkdtempSync, rmSync, unlinkSync, chmodSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const [socketPath] = process.argv.slice(2);
/** Test files of one run come and go; a run that just ended is often followed by another. */
const IDLE_MS = 15_000;

const dataDir = mkdtempSync(join(tmpdir(), 'muster-test-postgres-'));
// PostgreSQL runs as another user when the tests run as root.
chmodSync(dataDir, 0o711);
const serverPids = new Set();
const holders = new Set();
let idleTimer = setTimeout(end, 4 * IDLE_MS);

const server = createServer((holder) => {
  holders.add(holder);
  clearTimeout(idleTimer);
  holder.write(`${JSON.stringify({ dataDir })}\n`);
  let heard = '';
  holder.on('data', (bytes) => {
    heard += bytes;
    for (const [, pid] of heard.matchAll(/(\d+)\n/g)) serverPids.add(Number(pid));
  });
  holder.on('error', () => undefined);
  holder.on('close', () => {
    holders.delete(holder);
    if (holders.size === 0) idleTimer = setTimeout(end, IDLE_MS);
  });
});
// The path is taken: by a keeper that was quicker, or by what a killed one left behind.
server.on('error', () => {
  const other = connect(socketPath);
  other.once('connect', () => {
    rmSync(dataDir, { recursive: true, force: true });
    process.exit(0);
  });
  other.once('error', () => {
    rmSync(socketPath, { force: true });
    server.listen(socketPath);
  });
});
server.listen(socketPath);
for (const signal of ['SIGINT', 'SIGHUP']) process.on(signal, () => undefined);
process.on('SIGTERM', end);

let isEnding = false;
async function end() {
  if (isEnding) return;
  isEnding = true;
  server.close();
  try {
    unlinkSync(socketPath);
  } catch {
    // Already gone with the server.
  }
  for (const pid of serverPids) await stop(pid);
  rmSync(dataDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  process.exit(0);
}

async function stop(pid) {
  for (const [signal, patienceMs] of [['SIGINT', 10_000], ['SIGKILL', 5_000]]) {
    const untilMs = Date.now() + patienceMs;
    try {
      process.kill(pid, signal);
      while (Date.now() < untilMs) {
        await new Promise((resolve) => setTimeout(resolve, 50));
        process.kill(pid, 0);
      }
    } catch {
      return;
    }
  }
}
