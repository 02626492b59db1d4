import type { AgentCheckResult } from '@muster/protocol';
import { checksOf, type MachineFindings } from './checks.js';

const GIB = 1024 ** 3;
const gpu = { index: 0, uuid: 'GPU-1', model: 'NVIDIA T4', memoryMb: 15_360, driver: '550.54.15' };
const well: MachineFindings = {
  stateDir: '/var/lib/muster/agent',
  stateDirectoryProblem: null,
  disk: { totalBytes: 100 * GIB, freeBytes: 50 * GIB },
  containment: { default: 'cgroup', available: ['cgroup', 'group'], notes: ['cgroup: version 2 at /sys/fs/cgroup'] },
  limits: { runSeconds: 'sampled', silenceSeconds: 'sampled', memoryMb: 'hard', cpus: 'hard', logBytes: 'sampled' },
  gpus: [gpu],
  gpuTool: { kind: 'working' },
  drivenGpus: 1,
  slotsQuarantined: 0,
  faults: [],
};
const failing = { kind: 'failing', detail: 'nvidia-smi ended with code 9.' } as const;
const bare = {
  containment: { default: 'group', available: ['group'], notes: ['cgroup: no version 2 hierarchy is mounted'] },
  limits: { ...well.limits, memoryMb: 'sampled', cpus: 'none' },
} as const;

describe('the checks of a machine', () => {
  const named = (name: string, found: Partial<MachineFindings>) =>
    checksOf({ ...well, ...found }).find((check) => check.name === name);

  it('are all well on a machine that is, and each says what was found', () => {
    const checks = checksOf(well);
    expect(checks.map(({ name }) => name)).toEqual([
      'stateDirectory',
      'disk',
      'containment',
      'cgroup',
      'limits',
      'gpuTool',
      'runtime',
      'slots',
    ]);
    for (const { result, detail, advice } of checks) {
      expect(result).toBe('ok');
      expect(detail).toMatch(/\.$/);
      expect(advice).toBeNull();
    }
    expect(named('gpuTool', {})?.detail).toBe('nvidia-smi finds 1: NVIDIA T4, driver 550.54.15.');
    expect(named('disk', {})?.detail).toContain('50.0 GiB of 100.0 GiB');
  });

  it.each<[string, string, Partial<MachineFindings>, AgentCheckResult]>([
    ['a directory that cannot be written', 'stateDirectory', { stateDirectoryProblem: 'No (EROFS).' }, 'failed'],
    ['a full disk', 'disk', { disk: { totalBytes: 100 * GIB, freeBytes: GIB / 2 } }, 'failed'],
    ['a disk that does not tell', 'disk', { disk: null }, 'unknown'],
    ['the weakest containment', 'containment', bare, 'warning'],
    ['no right to control groups', 'cgroup', bare, 'warning'],
    ['limits that are only watched', 'limits', bare, 'warning'],
    ['a GPU tool that was not asked', 'gpuTool', { gpuTool: { kind: 'unasked' } }, 'unknown'],
    ['no GPU and no tool', 'gpuTool', { gpuTool: { kind: 'absent' }, gpus: [], drivenGpus: 0 }, 'ok'],
    ['a tool without a GPU', 'gpuTool', { gpus: [], drivenGpus: 0 }, 'ok'],
    ['a GPU without a tool', 'gpuTool', { gpuTool: { kind: 'absent' }, gpus: [] }, 'warning'],
    ['a tool that fails with a GPU', 'gpuTool', { gpuTool: failing }, 'failed'],
    ['a tool that fails without one', 'gpuTool', { gpuTool: failing, gpus: [], drivenGpus: 0 }, 'warning'],
    ['supervisors that die', 'runtime', { faults: [{ code: 'runtime', detail: '2 of 2.' }] }, 'failed'],
    ['a slot in quarantine', 'slots', { slotsQuarantined: 1 }, 'failed'],
  ])('take %s for what it is', (_, name, found, result) => {
    const check = named(name, found);
    expect(check?.result).toBe(result);
    if (result === 'warning' || result === 'failed') expect(check?.advice).toMatch(/\.$/);
  });
});
