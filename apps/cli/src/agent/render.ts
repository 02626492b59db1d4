import type { AgentCheck, AgentCheckResult, AgentStatusView, GpuSample } from '@muster/protocol';
import type { Colours } from '../output.js';
import { duration, facts, memory, pairs, plain, size, wrapped } from '../render/text.js';
import type { FoundAgent } from './find-agents.js';

/** An agent for people, line by line. */
export function renderAgent({ port, status }: FoundAgent, nowMs: number, columns: number, colours: Colours): string {
  const { inventory, sample, slots } = status;
  const paint = status.status === 'online' ? colours.green : colours.red;
  const lines: (readonly [string, string])[] = [
    ['Control plane', plain(status.url)],
    ['Link', linkOf(status, nowMs)],
    ['Worker', status.workerId ?? 'not registered yet'],
    [
      'Slots',
      `${slots.free} of ${slots.total} free${slots.quarantined > 0 ? `, ${slots.quarantined} quarantined` : ''}`,
    ],
    ['Containment', status.containment.default],
  ];
  if (inventory !== null) {
    const gpus = inventory.gpus.map(({ model }) => plain(model)).join(', ') || 'no GPU';
    lines.push(
      ['Capability', `${inventory.capability}: ${inventory.contentTypes.map(plain).join(', ')}`],
      ['Hardware', `${inventory.cpuCores} × ${plain(inventory.cpuModel)}, ${memory(inventory.memoryMb)}, ${gpus}`],
      ['Labels', pairs(inventory.labels) || 'none'],
    );
  }
  if (sample !== null) {
    const cpu = sample.cpuPercent === null ? '?' : `${sample.cpuPercent} %`;
    const held = sample.memoryUsedMb === null ? '?' : memory(sample.memoryUsedMb);
    const free = sample.diskFreeMb === null ? '?' : memory(sample.diskFreeMb);
    lines.push(['Load', `processors ${cpu}, memory ${held}, disk free ${free}`]);
    for (const gpu of sample.gpus ?? []) lines.push([`GPU ${gpu.index}`, gpuOf(gpu)]);
  }
  lines.push(
    ['Faults', status.faults.map(({ detail }) => plain(detail)).join(' ') || 'none'],
    ['Offers', status.objection === null ? 'taken' : `declined: ${plain(status.objection)}`],
    ['Version', `${plain(status.version)}, protocol ${plain(status.protocolVersion)}`],
    ['Process', `${status.pid}, status page http://127.0.0.1:${port}/, state in ${plain(status.stateDir)}`],
  );
  const jobs = status.executions.map(
    ({ name, phase, jobId }) => `  ${plain(phase).padEnd(10)} ${jobId}  ${plain(name)}${useOf(status, jobId)}`,
  );
  return [
    `${colours.bold(plain(status.name))} is ${paint(status.status)}`,
    facts(lines, 15, columns),
    ...(jobs.length > 0 ? ['Jobs', ...jobs] : []),
  ].join('\n');
}

function linkOf(status: AgentStatusView, nowMs: number): string {
  const { state, nextTryAt, lastFailure } = status.link;
  const beat =
    status.lastBeatAt === null ? 'no beat yet' : `last beat ${duration(nowMs - Date.parse(status.lastBeatAt))} ago`;
  const trouble = lastFailure === undefined ? '' : ` (${plain(lastFailure)}; next try at ${plain(nextTryAt ?? '?')})`;
  return `${plain(state)}, ${beat}${trouble}`;
}

function gpuOf(gpu: GpuSample): string {
  const word = (value: number | null, unit: string): string => (value === null ? `? ${unit}` : `${value} ${unit}`);
  const held = gpu.memoryUsedMb === null ? '?' : memory(gpu.memoryUsedMb);
  const total = gpu.memoryTotalMb === null ? '?' : memory(gpu.memoryTotalMb);
  return `${word(gpu.utilisationPercent, '%')}, memory ${held} of ${total}, ${word(gpu.temperatureCelsius, '°C')}, ${word(gpu.powerWatts, 'W')}`;
}

function useOf(status: AgentStatusView, jobId: string): string {
  const attemptId = status.executions.find((one) => one.jobId === jobId)?.attemptId;
  const used = status.sample?.attempts?.find((one) => one.attemptId === attemptId);
  if (used === undefined || used.memoryBytes === null) return '';
  return `  ${size(used.memoryBytes)}${used.gpuMemoryMb ? `, on GPUs ${memory(used.gpuMemoryMb)}` : ''}`;
}

/** Checks for people: a mark, what was found, and what to do about it. */
export function renderChecks(checks: readonly AgentCheck[], columns: number, colours: Colours): string {
  const marks: Record<AgentCheckResult, string> = {
    ok: colours.green('✔'),
    warning: colours.yellow('!'),
    failed: colours.red('✘'),
    unknown: colours.dim('?'),
  };
  const width = Math.max(0, ...checks.map(({ name }) => name.length)) + 2;
  return checks
    .flatMap(({ name, result, detail, advice }) => {
      const indent = ' '.repeat(width + 4);
      const [first = '', ...more] = detail.split('\n').map(plain).filter(Boolean);
      const beside = (text: string): string => wrapped(text, columns - indent.length).replaceAll('\n', `\n${indent}`);
      const lines = [`  ${marks[result]} ${name.padEnd(width)}${beside(first)}`, ...more.map((line) => `${indent}${beside(line)}`)];
      return advice === null ? lines : [...lines, ...beside(plain(advice)).split(`\n${indent}`).map((line) => `${indent}${colours.dim(line)}`)];
    })
    .join('\n');
}
