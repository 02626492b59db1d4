// A job: prints the moment, line by line, with a pause between: what a live tail is measured with.
import { writeSync } from 'node:fs';
import { wallClock } from '../measure/wall-clock.mjs';

const [count, pauseMs] = process.argv.slice(2).map(Number);
const wallNow = wallClock();
for (let line = 0; line < count; line++) {
  await new Promise((resolve) => setTimeout(resolve, pauseMs));
  writeSync(1, `${wallNow().toFixed(3)}\n`);
}
