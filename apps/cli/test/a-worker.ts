import { toId, type WorkerView } from '@muster/protocol';

/** A worker as REST shows it, with nothing out of the ordinary; a test overrides what it is about. */
export function aWorker(name: string, changes: Partial<WorkerView> = {}): WorkerView {
  const seed = [...name].reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) % 65_536, 7);
  const labels = { zone: 'lab' };
  return {
    id: toId('wkr', Date.parse('2026-11-22T10:00:00Z'), new Uint8Array([seed >> 8, seed & 255, 0, 0, 0, 0, 0, 0, 0, 0])),
    name,
    status: 'online',
    link: 'connected',
    healthy: true,
    available: true,
    location: { hostname: name, address: '10.0.0.3', latencyMs: 2 },
    capability: 'cpu',
    contentTypes: ['document', 'web', 'text'],
    labels,
    inventory: {
      hostname: name,
      platform: 'linux',
      arch: 'x64',
      osRelease: 'Debian 12',
      cpuModel: 'EPYC',
      cpuCores: 16,
      memoryMb: 64_000,
      diskMb: 900_000,
      gpus: [],
      capability: 'cpu',
      contentTypes: ['document', 'web', 'text'],
      labels,
      containment: { default: 'cgroup', available: ['cgroup', 'group'], notes: [] },
      limits: { runSeconds: 'hard', silenceSeconds: 'sampled', memoryMb: 'hard', cpus: 'hard', logBytes: 'sampled' },
      signalKnown: true,
      runKinds: ['command', 'shell'],
    },
    slots: 4,
    slotsUsed: 1,
    agentVersion: '0.1.0',
    versionSkew: 'same',
    owner: 'maria',
    keyId: toId('key', 1, new Uint8Array(10)),
    sample: { cpuPercent: 12.4, memoryUsedMb: 16_000, diskFreeMb: 500_000 },
    maintenance: null,
    drain: null,
    overridden: [],
    said: { name, labels, contentTypes: ['document', 'web', 'text'], capability: 'cpu', slots: 4 },
    registeredAt: '2026-11-22T10:00:00.000Z',
    removedAt: null,
    lastBeatAt: '2026-11-22T11:59:57.000Z',
    counters: { active: 1, completed: 7, failed: 2, averageSeconds: 90 },
    adapter: null,
    foreignId: null,
    features: [],
    load: null,
    metrics: null,
    reportedStatus: null,
    ...changes,
  };
}

/** A drain of three jobs, one of which is left, that began two minutes before noon. */
export function aDrain(changes: Partial<NonNullable<WorkerView['drain']>> = {}): NonNullable<WorkerView['drain']> {
  return {
    policy: 'requeue',
    reason: 'new disk',
    by: 'maria',
    startedAt: '2026-11-22T11:58:00.000Z',
    deadlineAt: '2026-11-22T12:04:10.000Z',
    isOverdue: false,
    jobsAtStart: 3,
    jobsLeft: 1,
    state: 'draining',
    drainedAt: null,
    ...changes,
  };
}
