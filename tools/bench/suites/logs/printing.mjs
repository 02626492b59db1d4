// Jobs that print, and the proof that every byte arrived.
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { linesOf } from '../../logs/lines.mjs';
import { sleep, until } from '../../measure/waiting.mjs';
import { wallClock } from '../../measure/wall-clock.mjs';

const PROGRAM = join(import.meta.dirname, '..', '..', 'logs', 'print-lines.mjs');

export const printJob = ({ lines, lineBytes, seed = 1, logBytes }) => ({
  name: `print-${lines}`,
  run: { command: [process.execPath, PROGRAM, String(lines), String(lineBytes), String(seed)] },
  ...(logBytes === undefined ? {} : { limits: { logBytes } }),
});

/**
 * Runs these jobs at once and waits until each log is proven complete.
 *
 * @returns {Promise<{ ids: string[], bytes: number, seconds: number, printSeconds: number, perSecond: number }>} MB/s from the first byte
 *   printed to the last proof
 */
export async function printAndProve({ api }, jobs) {
  const wallNow = wallClock();
  const submitted = [];
  for (let at = 0; at < jobs.length; at += 100)
    submitted.push(...(await api.post('/jobs', { jobs: jobs.slice(at, at + 100).map(printJob) })).data);
  const ids = submitted.map(({ id }) => id);
  await Promise.all(ids.map((id) => proof(api, id)));
  const provenAt = wallNow();
  const views = await Promise.all(ids.map((id) => api.get(`/jobs/${id}`)));
  for (const { id, status, reason } of views)
    if (status !== 'completed') throw new Error(`${id} is ${status}: ${reason}`);
  const firstByteAt = Math.min(...views.map(({ result }) => result.firstByteAt));
  const lastByteAt = Math.max(...views.map(({ result }) => result.lastByteAt));
  const bytes = jobs.reduce((sum, { lines, lineBytes }) => sum + lines * lineBytes, 0);
  const seconds = (provenAt - firstByteAt) / 1000;
  return { ids, bytes, seconds, printSeconds: (lastByteAt - firstByteAt) / 1000, perSecond: bytes / 1e6 / seconds };
}

async function proof(api, id) {
  await sleep(50);
  await until(
    `the proof of ${id}`,
    async () => {
      const answer = await api.raw('GET', `/jobs/${id}/logs?limitBytes=1`);
      const state = answer.status === 200 ? JSON.parse(answer.text).log.state : 'live';
      if (state === 'missing') throw new Error(`The log of ${id} is missing bytes.`);
      return state === 'complete';
    },
    { everyMs: 20, timeoutMs: 600_000 },
  );
}

/** Downloads the log and compares it with what was printed, byte for byte. Answers MB/s; throws when they differ. */
export async function verifyDownload({ muster }, id, { lines, lineBytes, seed = 1 }) {
  const expected = createHash('sha256');
  for (const block of linesOf({ count: lines, lineBytes, seed })) expected.update(block);
  const wanted = expected.digest('hex');
  const began = performance.now();
  const download = await muster.logs.open(id);
  const found = createHash('sha256');
  let bytes = 0;
  for await (const piece of download.bytes) {
    found.update(piece);
    bytes += piece.length;
  }
  const seconds = (performance.now() - began) / 1000;
  const digest = found.digest('hex');
  if (digest !== wanted || download.sha256 !== wanted)
    throw new Error(
      `The log of ${id} is not what was printed: ${bytes} bytes, ${digest}, the worker says ${download.sha256}, printed ${wanted}.`,
    );
  return bytes / 1e6 / seconds;
}
