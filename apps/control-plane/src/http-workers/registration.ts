import type { RegisterWorkerDto } from '@muster/dto';
import { DEFAULT_CONTENT_TYPES, PROTOCOL_VERSION_TEXT, type Hello, type Inventory } from '@muster/protocol';

/** A registration in the words that every worker says: what is left out is not there, or not known. */
export function toHello(given: RegisterWorkerDto): Omit<Hello, 'instanceId'> {
  const { name, workerId, hostname = name, slots = 1, executions = [], gpusHeld = [] } = given;
  return {
    protocolVersion: PROTOCOL_VERSION_TEXT,
    agentVersion: given.version ?? '',
    ...(workerId === undefined ? {} : { workerId }),
    machineId: given.machineId ?? hostname,
    session: 0,
    bootId: '',
    name,
    slots,
    inventory: toInventory(given, hostname),
    executions,
    gpusHeld,
  };
}

function toInventory(given: RegisterWorkerDto, hostname: string): Inventory {
  const gpus = (given.gpus ?? []).map(({ index, model, memoryMb = null, uuid = null, driver = null }) => ({ index, model, memoryMb, uuid, driver }));
  const capability = given.capability ?? (gpus.length > 0 ? 'hybrid' : 'cpu');
  return {
    hostname,
    platform: given.platform ?? '',
    arch: '',
    osRelease: '',
    cpuModel: '',
    cpuCores: given.cpuCores ?? 0,
    memoryMb: given.memoryMb ?? 0,
    diskMb: given.diskMb ?? null,
    gpus,
    capability,
    contentTypes: given.contentTypes ?? [...DEFAULT_CONTENT_TYPES[capability]],
    labels: given.labels ?? {},
    // How it contains a job is the program's business: it promises nothing of it.
    containment: { default: 'group', available: [], notes: ['a program over REST: nothing is known of how it contains jobs'] },
    limits: { runSeconds: 'none', silenceSeconds: 'none', memoryMb: 'none', cpus: 'none', logBytes: 'none' },
    signalKnown: false,
    runKinds: given.runKinds ?? ['external:http'],
  };
}
