import { WORKER_STATUSES, type WorkerStatus, type WorkerView } from '@muster/protocol';
import { InvalidArgumentError } from 'commander';
import type { Declare } from '../command.js';
import { paintStatus } from '../render/job.js';
import { duration, memory, pairs, plain, shorten } from '../render/text.js';
import type { Session } from '../session.js';

interface WorkersFlags {
  readonly status?: readonly WorkerStatus[];
}

export const declare: Declare = (program, bind) => {
  const command = program
    .command('workers')
    .summary('List workers.')
    .description('List the machines that run jobs: what they are, how full, and when they were last heard of.')
    .option(
      '-s, --status <list>',
      `Only these statuses, separated by commas: ${WORKER_STATUSES.join(', ')}.`,
      toStatuses,
    );
  bind(command, workers);
};

const HEAD = [
  'NAME',
  'STATUS',
  'LINK',
  'SLOTS',
  'KIND',
  'CPUS',
  'MEMORY',
  'GPUS',
  'CONTAINMENT',
  'BEAT',
  'LABELS',
  'ID',
];

async function workers(session: Session, flags: WorkersFlags): Promise<void> {
  const muster = await session.muster();
  const { output, signal } = session;
  const found: WorkerView[] = [];
  for await (const worker of muster.workers.list({ status: flags.status, signal })) found.push(worker);
  if (output.isJson) return output.document(found);
  if (found.length === 0) {
    output.note('No worker. Start Muster with one on this machine: muster up');
    return;
  }
  const { table } = await import('../render/table.js');
  const now = Date.now();
  await output.line(
    table(
      HEAD,
      found.map((worker) => cells(worker, now, (status) => paintStatus(status, output.colours))),
    ),
  );
}

function cells(worker: WorkerView, now: number, paint: (status: string) => string): string[] {
  const { inventory } = worker;
  const gpus = inventory.gpus.length === 0 ? '' : `${inventory.gpus.length}× ${plain(inventory.gpus[0]?.model ?? '')}`;
  return [
    plain(worker.name),
    paint(worker.status),
    worker.link,
    `${worker.slotsUsed}/${worker.slots}`,
    worker.capability,
    String(inventory.cpuCores),
    memory(inventory.memoryMb),
    shorten(gpus, 24),
    inventory.containment.default,
    worker.lastBeatAt === null ? '' : `${duration(now - Date.parse(worker.lastBeatAt))} ago`,
    shorten(pairs(worker.labels), 40),
    worker.id,
  ];
}

function toStatuses(text: string): WorkerStatus[] {
  return text.split(',').map((word) => {
    const status = WORKER_STATUSES.find((known) => known === word.trim());
    if (status === undefined)
      throw new InvalidArgumentError(`${JSON.stringify(word)} is none of ${WORKER_STATUSES.join(', ')}.`);
    return status;
  });
}
