/** How a worker looks in lines and tables. */
import type { WorkerView } from '@muster/protocol';
import type { Colours } from '../output.js';
import { paintStatus } from './job.js';
import { duration, facts, memory, pairs, plain, shorten } from './text.js';

const NAME_WIDTH = 24;
const GPUS_WIDTH = 20;
const NOTE_WIDTH_MIN = 16;
const COLUMN_GAP = 2;

/** A column: its head, and what stands in it of each worker. */
interface Column {
  readonly head: string;
  readonly cell: (worker: WorkerView) => string;
}

/**
 * Head and rows of a list of workers, so that lines fit `columns`: notes are cut; ids come last, where there is room for them,
 * because a name does as well; and a narrow terminal gets no column of GPUs where nobody has one, and shares without totals.
 */
export function workerRows(workers: readonly WorkerView[], nowMs: number, columns: number, colours: Colours): string[][] {
  const notes = workers.map((worker) => workerNote(worker, nowMs));
  const wide = columnsOf(workers, nowMs, true);
  const isNarrow = columns - widthOf(wide, workers) < NOTE_WIDTH_MIN;
  const shown = isNarrow ? columnsOf(workers, nowMs, false) : wide;
  const taken = widthOf(shown, workers);
  const idWidth = Math.max(0, ...workers.map(({ id }) => id.length)) + COLUMN_GAP;
  const longest = Math.max(NOTE_WIDTH_MIN, ...notes.map((note) => note.length));
  const hasIds = columns - taken - idWidth >= Math.min(longest, 2 * NOTE_WIDTH_MIN);
  const noteWidth = Math.max(NOTE_WIDTH_MIN, columns - taken - (hasIds ? idWidth : 0));
  const rows = workers.map((worker, index) => [
    ...shown.map(({ head, cell }) => (head === 'STATUS' ? paintStatus(worker.status, colours) : cell(worker))),
    shorten(notes[index] ?? '', noteWidth),
    ...(hasIds ? [worker.id] : []),
  ]);
  return [[...shown.map(({ head }) => head), 'NOTE', ...(hasIds ? ['ID'] : [])], ...rows];
}

/** All columns but the note and the id. */
function columnsOf(workers: readonly WorkerView[], nowMs: number, hasTotals: boolean): readonly Column[] {
  const share = (text: string): string => (hasTotals ? text : text.replace(/% of .*/, '%'));
  const hasGpus = hasTotals || workers.some(({ inventory }) => inventory.gpus.length > 0);
  return [
    { head: 'NAME', cell: ({ name }) => shorten(plain(name), NAME_WIDTH) },
    { head: 'STATUS', cell: ({ status }) => status },
    { head: 'SLOTS', cell: ({ slotsUsed, slots }) => `${slotsUsed}/${slots}` },
    { head: 'KIND', cell: ({ capability }) => capability },
    { head: 'CPU', cell: (worker) => share(processorsOf(worker)) },
    { head: 'MEMORY', cell: (worker) => share(memoryOf(worker)) },
    ...(hasGpus ? [{ head: 'GPUS', cell: (worker: WorkerView) => shorten(gpusOf(worker), GPUS_WIDTH) }] : []),
    { head: 'BEAT', cell: ({ lastBeatAt }) => (lastBeatAt === null ? '' : `${duration(nowMs - Date.parse(lastBeatAt))} ago`) },
  ];
}

function widthOf(columns: readonly Column[], workers: readonly WorkerView[]): number {
  const widths = columns.map(({ head, cell }) => Math.max(head.length, ...workers.map((worker) => [...cell(worker)].length)));
  return widths.reduce((sum, width) => sum + width + COLUMN_GAP, 0);
}

/** What is out of the ordinary, the gravest first, and labels. Without a moment nothing in it moves by itself. */
export function workerNote(worker: WorkerView, nowMs: number | null): string {
  const { sample, link, status, versionSkew, reportedStatus, adapter } = worker;
  const parts = [
    worker.removedAt === null ? '' : 'removed',
    drainText(worker, nowMs),
    worker.drain === null ? maintenanceText(worker) : '',
    ...(sample?.faults ?? []).map(({ detail }) => detail),
    link === 'suspect' ? 'not heard as often as it should be' : '',
    status === 'offline' && worker.counters.active > 0 ? `${jobs(worker.counters.active)} in doubt` : '',
    versionSkew === 'older' || versionSkew === 'newer' ? `agent ${worker.agentVersion} is ${versionSkew}` : '',
    adapter === null ? '' : `${adapter}${reportedStatus === null ? '' : ` says ${reportedStatus}`}`,
    pairs(worker.labels),
  ];
  return parts
    .filter((part) => part !== '')
    .map(plain)
    .join(' · ');
}

/** `draining: 2 of 3 jobs left, stopped in 4m 10s (new disk, maria)`; empty where nobody ordered one. */
export function drainText({ drain }: WorkerView, nowMs: number | null): string {
  if (drain === null) return '';
  const why = whyText(drain);
  if (drain.state === 'drained') return `drained${why}`;
  const left = `${drain.jobsLeft} of ${jobs(Math.max(drain.jobsAtStart, drain.jobsLeft))} left`;
  return `draining: ${left}${deadlineText(drain, nowMs)}${why}`;
}

function deadlineText({ deadlineAt, isOverdue, policy }: NonNullable<WorkerView['drain']>, nowMs: number | null): string {
  if (deadlineAt === null) return '';
  if (nowMs === null && !isOverdue) return `, deadline ${deadlineAt}`;
  const leftMs = Date.parse(deadlineAt) - (nowMs ?? Number.POSITIVE_INFINITY);
  if (!isOverdue && leftMs > 0) return policy === 'wait' ? `, alert in ${duration(leftMs)}` : `, stopped in ${duration(leftMs)}`;
  return policy === 'wait' ? ', past its deadline' : ', being stopped';
}

function maintenanceText({ maintenance }: WorkerView): string {
  return maintenance === null ? '' : `cordoned${whyText(maintenance)}`;
}

function whyText({ reason, by }: { readonly reason: string | null; readonly by: string }): string {
  return ` (${plain(reason === null ? by : `${reason}, ${by}`)})`;
}

/** How many, how they are, and how full: `3 workers: 2 online, 1 offline · 5 of 12 slots used`. */
export function workersSummary(workers: readonly WorkerView[]): string {
  const counts = new Map<string, number>();
  for (const { status } of workers) counts.set(status, (counts.get(status) ?? 0) + 1);
  const statuses = [...counts].map(([status, count]) => `${count} ${status}`).join(', ');
  const sum = (of: (worker: WorkerView) => number): number => workers.reduce((total, worker) => total + of(worker), 0);
  const used = sum(({ slotsUsed }) => slotsUsed);
  const slots = sum((worker) => (worker.status === 'offline' ? worker.slotsUsed : worker.slots));
  const count = `${workers.length} ${workers.length === 1 ? 'worker' : 'workers'}`;
  return workers.length === 0 ? count : `${count}: ${statuses} · ${used} of ${slots} slots used`;
}

export function jobs(count: number): string {
  return `${count} ${count === 1 ? 'job' : 'jobs'}`;
}

function processorsOf({ sample, inventory }: WorkerView): string {
  const percent = sample?.cpuPercent ?? null;
  // A program of another make may not say how many there are.
  if (inventory.cpuCores === 0) return percent === null ? '' : `${Math.round(percent)}%`;
  return percent === null ? String(inventory.cpuCores) : `${Math.round(percent)}% of ${inventory.cpuCores}`;
}

function memoryOf({ sample, inventory }: WorkerView): string {
  const used = sample?.memoryUsedMb ?? null;
  const total = inventory.memoryMb;
  if (used === null || total === 0) return total === 0 ? '' : memory(total);
  return `${Math.round((100 * used) / total)}% of ${memory(total)}`;
}

function gpusOf({ inventory }: WorkerView): string {
  const { gpus } = inventory;
  return gpus.length === 0 ? '' : `${gpus.length}× ${plain(gpus[0]?.model ?? '')}`;
}

/** All there is to know of one worker, a fact per line. */
export function workerFacts(worker: WorkerView, nowMs: number, columns: number, colours: Colours): string {
  const { inventory, sample, counters, maintenance } = worker;
  const ago = (at: string | null): string => (at === null ? 'never' : `${duration(nowMs - Date.parse(at))} ago`);
  const set = (what: WorkerView['overridden'][number], own: string): string =>
    worker.overridden.includes(what) ? ` (set by people; the agent says ${own || 'none'})` : '';
  const lines: (readonly [string, string])[] = [
    ['Worker', worker.id],
    ['Name', `${plain(worker.name)}${set('name', plain(worker.said.name))}`],
    ['Status', `${paintStatus(worker.status, colours)} · link ${worker.link}, last beat ${ago(worker.lastBeatAt)}`],
    ['Removed', worker.removedAt === null ? '' : ago(worker.removedAt)],
    ['Orders', drainText(worker, nowMs) || (maintenance === null ? '' : `${maintenanceText(worker)}, since ${maintenance.since}`)],
    ['Faults', (sample?.faults ?? []).map(({ detail }) => plain(detail)).join(' ')],
    ['Slots', `${worker.slotsUsed} of ${worker.slots} used${set('slots', String(worker.said.slots))}`],
    ['Kind', `${worker.capability}${set('capability', worker.said.capability)}: ${worker.contentTypes.map(plain).join(', ')}${set('contentTypes', worker.said.contentTypes.map(plain).join(', '))}`],
    ['Runs', inventory.runKinds.map(plain).join(', ')],
    ['Labels', `${pairs(worker.labels)}${set('labels', pairs(worker.said.labels))}`],
    ['Machine', machineOf(worker)],
    ...inventory.gpus.map((gpu) => [`GPU ${gpu.index}`, gpuText(worker, gpu)] as const),
    ['Load', loadOf(worker)],
    ['Holds', `${inventory.containment.default}; limits ${limitsOf(worker)}`],
    ['Place', placeOf(worker)],
    ['Agent', agentOf(worker)],
    ['Owner', `${plain(worker.owner)}, key ${worker.keyId}`],
    ['Jobs', countersText(counters)],
    ['Known', `since ${worker.registeredAt}`],
  ];
  return facts(lines, 10, columns);
}

function machineOf({ inventory }: WorkerView): string {
  const { cpuCores, cpuModel, memoryMb, diskMb, platform, arch, osRelease } = inventory;
  const disk = diskMb === null ? '' : `, disk ${memory(diskMb)}`;
  return plain(`${cpuCores} × ${cpuModel}, ${memory(memoryMb)}${disk}; ${platform} ${arch}, ${osRelease}`);
}

function loadOf({ sample }: WorkerView): string {
  if (sample === null) return '';
  const known: readonly (readonly [string, string | null])[] = [
    ['processors', sample.cpuPercent === null ? null : `${Math.round(sample.cpuPercent)} %`],
    ['memory', sample.memoryUsedMb === null ? null : memory(sample.memoryUsedMb)],
    ['disk free', sample.diskFreeMb === null ? null : memory(sample.diskFreeMb)],
  ];
  return known.map(([name, value]) => `${name} ${value ?? '?'}`).join(', ');
}

function gpuText({ sample }: WorkerView, gpu: WorkerView['inventory']['gpus'][number]): string {
  const now = sample?.gpus?.find(({ index }) => index === gpu.index);
  const total = gpu.memoryMb === null ? '?' : memory(gpu.memoryMb);
  const held = now?.memoryUsedMb == null ? '' : `${memory(now.memoryUsedMb)} of `;
  const use = now?.utilisationPercent == null ? '' : `, ${now.utilisationPercent} %`;
  const heat = now?.temperatureCelsius == null ? '' : `, ${now.temperatureCelsius} °C`;
  const watts = now?.powerWatts == null ? '' : `, ${Math.round(now.powerWatts)} W`;
  return plain(`${gpu.model}, ${held}${total}${use}${heat}${watts}${gpu.driver === null ? '' : `, driver ${gpu.driver}`}`);
}

/** `hard: runSeconds, memoryMb · none: cpus`. */
function limitsOf({ inventory }: WorkerView): string {
  const named = (how: string): string[] => Object.entries(inventory.limits).flatMap(([name, is]) => (is === how ? [name] : []));
  return ['hard', 'sampled', 'none']
    .filter((how) => named(how).length > 0)
    .map((how) => `${how}: ${named(how).join(', ')}`)
    .join(' · ');
}

function placeOf({ location }: WorkerView): string {
  const { hostname, address, latencyMs } = location;
  return plain([hostname, address ?? '', latencyMs === null ? '' : `${Number(latencyMs.toPrecision(2))} ms away`].filter(Boolean).join(', '));
}

/** `0.0.9, older than the control plane`. */
function agentOf({ agentVersion, versionSkew, adapter }: WorkerView): string {
  if (adapter !== null) return `none of ours: ${adapter}`;
  return plain(`${agentVersion}${versionSkew === 'same' ? '' : versionSkew === 'unknown' ? ', an unknown version' : `, ${versionSkew} than the control plane`}`);
}

function countersText({ active, completed, failed, averageSeconds }: WorkerView['counters']): string {
  const average = averageSeconds === null ? '' : `, ${duration(averageSeconds * 1_000)} on average`;
  return `${active} now, ${completed} completed, ${failed} failed${average}`;
}
