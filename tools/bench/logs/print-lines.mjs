// A job: prints so many lines as fast as it can and says in its result when it began and ended.
import { writeFileSync, writeSync } from 'node:fs';
import { wallClock } from '../measure/wall-clock.mjs';
import { linesOf } from './lines.mjs';

const [count, lineBytes, seed] = process.argv.slice(2).map(Number);
const wallNow = wallClock();
const firstByteAt = wallNow();
for (const block of linesOf({ count, lineBytes, seed })) {
  for (let at = 0; at < block.length;) at += writeSync(1, block, at);
}
writeFileSync(process.env.MUSTER_RESULT, JSON.stringify({ firstByteAt, lastByteAt: wallNow() }));
