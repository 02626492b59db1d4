// The far end of the launcher's process boundary: answers as the control plane does, and notes what happens to it.
import { appendFileSync, existsSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';

const { MUSTER_DATA_DIR, MUSTER_HOST, MUSTER_PORT, FIXTURE_CONTROL_PLANE } = process.env;
const adminKeyFile = process.env.MUSTER_BOOTSTRAP_ADMIN_KEY_FILE;
const workerKeyFile = process.env.MUSTER_BOOTSTRAP_WORKER_KEY_FILE;
const note = (line) => appendFileSync(join(MUSTER_DATA_DIR, 'events'), `${line}\n`);

console.log('control plane starts');
if (FIXTURE_CONTROL_PLANE === 'refusesItsConfiguration') {
  console.error('MUSTER_WORKER_TIMEOUT: expected a duration, found "soon"');
  process.exit(78);
}
if (FIXTURE_CONTROL_PLANE === 'crashes') throw new Error('no migrations today');
writeFileSync(join(MUSTER_DATA_DIR, 'control-plane.env.json'), JSON.stringify(process.env));
if (FIXTURE_CONTROL_PLANE !== 'hasKeysAlready') {
  if (!existsSync(adminKeyFile)) writeFileSync(adminKeyFile, 'mst_adm_fixture\n', { mode: 0o600 });
  if (!existsSync(workerKeyFile)) writeFileSync(workerKeyFile, 'wak_fixture\n', { mode: 0o600 });
}

const server = createServer((request, response) => {
  if (request.url === '/crash') process.exit(1);
  response.end(String(process.pid));
});
server.listen(Number(MUSTER_PORT), MUSTER_HOST, () => {
  process.send?.({ type: 'listening', url: `http://${MUSTER_HOST}:${MUSTER_PORT}` });
});
process.on('SIGTERM', () => {
  note('control plane: SIGTERM');
  process.exit(0);
});
process.on('disconnect', () => {
  note('control plane: disconnect');
  process.exit(0);
});
