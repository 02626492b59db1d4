// Asks the probe inside a service.
import { connect } from 'node:net';
import { join } from 'node:path';

/** Sends one command to the service with this pid and answers what it said. */
export function askProbe(folder, pid, command, facts = {}) {
  return new Promise((resolve, reject) => {
    const socket = connect({ path: join(folder, `${pid}.sock`), allowHalfOpen: true });
    let text = '';
    socket.on('data', (piece) => (text += piece));
    socket.once('error', reject);
    socket.once('end', () => {
      socket.end();
      resolve(JSON.parse(text));
    });
    socket.end(JSON.stringify({ command, ...facts }));
  });
}

/**
 * How late the event loops of these services are while `work` runs.
 *
 * @returns {Promise<{ result: unknown, loops: Record<string, { p50: number, p99: number, max: number, utilization: number }> }>}
 */
export async function watchLoops(stack, work) {
  const services = { 'control plane': stack.pids().controlPlane, agent: stack.pids().agent };
  const all = (command) =>
    Promise.all(
      Object.entries(services).map(async ([name, pid]) => [name, await askProbe(stack.probeFolder, pid, command)]),
    );
  await all('begin');
  const result = await work();
  return { result, loops: Object.fromEntries(await all('end')) };
}
