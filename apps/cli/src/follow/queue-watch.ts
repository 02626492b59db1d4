import { setTimeout as sleep } from 'node:timers/promises';
import type { Muster } from '@muster/client';
import { noteText } from '../render/job.js';

const FIRST_LOOK_MS = 2_000;
const NEXT_LOOK_MS = 10_000;

/**
 * Tells why a job still waits in the queue, once it has waited a little, and again when the reason changes. Nobody should
 * look at a silent terminal because no worker fits. Ends with the signal, and when the job no longer waits; what fails on
 * the way is left to those who follow the log.
 */
export async function watchQueue(
  muster: Muster,
  jobId: string,
  say: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  let said = '';
  try {
    for (let ms = FIRST_LOOK_MS; ; ms = NEXT_LOOK_MS) {
      await sleep(ms, undefined, { signal });
      const job = await muster.jobs.get(jobId, { signal });
      if (job.status !== 'queued') return;
      const text = [noteText(job), job.reasonText.action].filter((part) => part !== '').join(' ');
      if (text !== said && job.reason !== 'waiting') say(`queued · ${text}`);
      said = text;
    }
  } catch {
    return;
  }
}
