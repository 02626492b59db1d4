// One job at a time on an idle stack.
import { withScratchDatabase } from '../../limits/database.mjs';
import { sleep, until } from '../../measure/waiting.mjs';
import { wallClock } from '../../measure/wall-clock.mjs';

const PAUSE_MS = 20;

/**
 * `toStart`: until the job's own main() runs; it prints the moment. `toEnd`: until a caller who asks every other millisecond sees it
 * completed. Two series, because asking takes processor time from the first.
 */
export async function latencies(stack, { samples, commits }) {
  const { databaseUrl } = stack;
  for (let index = 0; index < 3; index++) await endSample(stack.api);
  const before = await withScratchDatabase(databaseUrl, (database) => database.singleRowCommitMs(commits));
  const toStart = [];
  for (let index = 0; index < samples; index++) toStart.push(await startSample(stack));
  const toEnd = [];
  for (let index = 0; index < samples; index++) toEnd.push(await endSample(stack.api));
  const after = await withScratchDatabase(databaseUrl, (database) => database.singleRowCommitMs(commits));
  return { commitMs: [...before, ...after], toStart, toEnd };
}

async function startSample({ api, muster }) {
  const wallNow = wallClock();
  const submittedAt = wallNow();
  const { id } = await api.post('/jobs', { name: 'date', run: { command: ['/bin/date', '+%s.%N'] } });
  const text = await until('the line of a job', () => wholeLine(muster, id), { everyMs: 40, timeoutMs: 60_000 });
  return Number(text) * 1000 - submittedAt;
}

async function endSample(api) {
  const began = performance.now();
  const { id } = await api.post('/jobs', { name: 'true', run: { command: ['/bin/true'] } });
  await until('a short job', async () => (await api.get(`/jobs/${id}`)).status === 'completed', {
    everyMs: 2,
    timeoutMs: 60_000,
  });
  const ms = performance.now() - began;
  await sleep(PAUSE_MS);
  return ms;
}

async function wholeLine(muster, id) {
  await sleep(PAUSE_MS);
  const { segments } = await muster.logs.read(id).catch(() => ({ segments: [] }));
  const text = Buffer.concat(segments.map(({ bytes }) => bytes ?? Buffer.alloc(0))).toString();
  return text.endsWith('\n') ? text : undefined;
}
