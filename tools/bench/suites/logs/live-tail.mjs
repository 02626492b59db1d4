// How long after a line was printed a reader who follows the log has it.
import { join } from 'node:path';
import { wallClock } from '../../measure/wall-clock.mjs';

const PROGRAM = join(import.meta.dirname, '..', '..', 'logs', 'print-clock.mjs');

/** Milliseconds for each line: printed by one job, followed over server-sent events. */
export async function liveTail({ api, muster }, { tailLines, tailPauseMs }) {
  const { id } = await api.post('/jobs', {
    name: 'clock',
    run: { command: [process.execPath, PROGRAM, String(tailLines), String(tailPauseMs)] },
    priority: 100,
  });
  const wallNow = wallClock();
  const times = [];
  let rest = '';
  for await (const event of muster.logs.follow(id)) {
    if (event.type !== 'log') continue;
    const now = wallNow();
    const lines = (rest + Buffer.from(event.bytes).toString()).split('\n');
    rest = lines.pop();
    for (const line of lines) times.push(now - Number(line));
  }
  if (times.length !== tailLines) throw new Error(`${times.length} of ${tailLines} lines arrived.`);
  return times;
}
