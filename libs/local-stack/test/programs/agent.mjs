// The far end of the launcher's process boundary: a program that is stopped as the agent is, and notes how.
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const { MUSTER_DATA_DIR, FIXTURE_AGENT } = process.env;
const note = (line) => appendFileSync(join(MUSTER_DATA_DIR, 'events'), `${line}\n`);

console.log('agent starts');
if (FIXTURE_AGENT === 'keepsDying') process.exit(1);
if (FIXTURE_AGENT === 'refusesItsKey') process.exit(78);

const rest = setInterval(() => undefined, 1_000);
process.on('message', (message) => {
  note(`agent: ${JSON.stringify(message)}`);
  if (FIXTURE_AGENT !== 'waitsForInsistence') process.exit(0);
});
let interrupts = 0;
process.on('SIGINT', () => {
  interrupts += 1;
  note(`agent: SIGINT ${interrupts}`);
  if (interrupts === 2) process.exit(0);
});
process.on('disconnect', () => {
  note('agent: disconnect');
  clearInterval(rest);
});
// Last: who reads this may send signals at once.
writeFileSync(join(MUSTER_DATA_DIR, 'agent.env.json'), JSON.stringify({ ...process.env, pid: process.pid }));
