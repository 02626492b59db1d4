/** What an operator has to know of an agent's machine, as sentences. Pure: what was found in, one check per thing out. */
import type { AgentCheck, GpuInfo, Inventory, WorkerFault } from '@muster/protocol';
import { isBelowFloor } from '../inventory/disk-floor.js';
import type { GpuToolState } from '../inventory/gpu-watch.js';
import type { DiskSpace } from '../inventory/machine.js';

export interface MachineFindings {
  readonly stateDir: string;
  readonly stateDirectoryProblem: string | null;
  readonly disk: DiskSpace | null;
  readonly containment: Inventory['containment'];
  readonly limits: Inventory['limits'];
  readonly gpus: readonly GpuInfo[];
  readonly gpuTool: GpuToolState;
  /** NVIDIA GPUs on the bus that have NVIDIA's driver. */
  readonly drivenGpus: number;
  readonly slotsQuarantined: number;
  readonly faults: readonly WorkerFault[];
}

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

export function checksOf(found: MachineFindings): readonly AgentCheck[] {
  return [
    stateDirectory(found),
    disk(found),
    containment(found),
    cgroupRights(found),
    limits(found),
    gpuTool(found),
    runtime(found),
    slots(found),
  ];
}

const ok = (name: string, detail: string): AgentCheck => ({ name, result: 'ok', detail, advice: null });

function stateDirectory({ stateDir, stateDirectoryProblem }: MachineFindings): AgentCheck {
  if (stateDirectoryProblem === null) return ok('stateDirectory', `${stateDir} can be written.`);
  return {
    name: 'stateDirectory',
    result: 'failed',
    detail: stateDirectoryProblem,
    advice: 'Let the user who runs the agent write there, or set MUSTER_AGENT_STATE_DIR.',
  };
}

function disk({ disk: space }: MachineFindings): AgentCheck {
  if (space === null) {
    const detail = 'The file system of the state directory does not tell how full it is.';
    return { name: 'disk', result: 'unknown', detail, advice: null };
  }
  const free = `${size(space.freeBytes)} of ${size(space.totalBytes)} are free where the agent keeps its state.`;
  if (!isBelowFloor(space, false)) return ok('disk', free);
  const advice = 'Free some space: no new jobs are taken below 5 % and 1 GiB.';
  return { name: 'disk', result: 'failed', detail: free, advice };
}

function containment({ containment: { default: rung, available } }: MachineFindings): AgentCheck {
  const detail = `Jobs are held by ${rung}; available: ${available.join(', ')}.`;
  if (rung !== 'group') return ok('containment', detail);
  return {
    name: 'containment',
    result: 'warning',
    detail: `${detail} A process that leaves session, parents and environment behind is not found.`,
    advice: 'Give the agent a control group of its own (systemd: Delegate=yes), or install bubblewrap.',
  };
}

function cgroupRights({ containment: { available, notes } }: MachineFindings): AgentCheck {
  const note = notes.find((one) => one.startsWith('cgroup: '))?.slice('cgroup: '.length) ?? 'not looked at';
  if (available.includes('cgroup')) return ok('cgroup', `Control groups can be made (${note}).`);
  return {
    name: 'cgroup',
    result: 'warning',
    detail: `Control groups cannot be made: ${note}.`,
    advice: 'Run the agent as root, or as a systemd service with Delegate=yes.',
  };
}

function limits({ limits: { memoryMb, cpus } }: MachineFindings): AgentCheck {
  const detail = `Memory limits are ${WORDS[memoryMb]}, processor limits ${WORDS[cpus]}.`;
  if (memoryMb === 'hard' && cpus === 'hard') return ok('limits', detail);
  const advice = 'Delegate the memory and cpu controllers to the agent (systemd: Delegate=yes).';
  return { name: 'limits', result: 'warning', detail, advice };
}

const WORDS = { hard: 'enforced by the kernel', sampled: 'watched by the agent', none: 'not enforced' } as const;

function gpuTool({ gpuTool: tool, gpus, drivenGpus }: MachineFindings): AgentCheck {
  const name = 'gpuTool';
  if (tool.kind === 'unasked')
    return { name, result: 'unknown', detail: 'nvidia-smi was not asked yet.', advice: null };
  if (tool.kind === 'failing') {
    const result = drivenGpus > 0 || gpus.length > 0 ? 'failed' : 'warning';
    const advice = 'Run nvidia-smi by hand; restart the driver or the machine.';
    return { name, result, detail: `${tool.detail}${onBus(drivenGpus)}`, advice };
  }
  if (tool.kind === 'working') {
    const models = [...new Set(gpus.map(({ model }) => model))].join(', ');
    const driver = gpus[0]?.driver;
    const suffix = driver ? `, driver ${driver}` : '';
    return ok(
      name,
      gpus.length === 0 ? 'nvidia-smi finds no GPU.' : `nvidia-smi finds ${gpus.length}: ${models}${suffix}.`,
    );
  }
  if (drivenGpus === 0) return ok(name, 'There is no nvidia-smi and no NVIDIA GPU.');
  const advice = "Put the driver's nvidia-smi on the PATH of the agent; in a container, give it the GPUs.";
  return { name, result: 'warning', detail: `There is no nvidia-smi on the PATH.${onBus(drivenGpus)}`, advice };
}

const onBus = (gpus: number): string =>
  gpus === 0 ? '' : ` ${gpus} NVIDIA GPU${gpus === 1 ? ' is' : 's are'} on the bus.`;

function runtime({ faults }: MachineFindings): AgentCheck {
  const fault = faults.find(({ code }) => code === 'runtime');
  if (!fault) return ok('runtime', 'Processes can be started.');
  return {
    name: 'runtime',
    result: 'failed',
    detail: fault.detail,
    advice: 'Look for limits on processes, memory and open files of the user who runs the agent.',
  };
}

function slots({ slotsQuarantined }: MachineFindings): AgentCheck {
  if (slotsQuarantined === 0) return ok('slots', 'No slot is held by processes that could not be killed.');
  return {
    name: 'slots',
    result: 'failed',
    detail: `Held by processes that could not be killed: ${slotsQuarantined}.`,
    advice: 'They wait for a device or a network file system. Mend that, or restart the machine.',
  };
}

function size(bytes: number): string {
  return bytes >= GIB ? `${(bytes / GIB).toFixed(1)} GiB` : `${Math.floor(bytes / MIB)} MiB`;
}
