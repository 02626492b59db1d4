import { DEFAULT_CONTENT_TYPES } from '@muster/protocol';
import type { Inventory } from '@muster/protocol';

/** What the other system tells of a machine. What it does not tell stands at nothing: no job's needs are met by it. */
export type ForeignMachine = Pick<Inventory, 'hostname' | 'platform' | 'capability' | 'runKinds'> &
  Partial<Pick<Inventory, 'cpuCores' | 'memoryMb' | 'diskMb' | 'gpus' | 'contentTypes' | 'labels'>>;

export function toInventory(machine: ForeignMachine): Inventory {
  const { contentTypes = [] } = machine;
  return {
    arch: '',
    osRelease: '',
    cpuModel: '',
    cpuCores: 0,
    memoryMb: 0,
    diskMb: null,
    gpus: [],
    labels: {},
    ...machine,
    // As for agents whose operator names none.
    contentTypes: contentTypes.length > 0 ? contentTypes : DEFAULT_CONTENT_TYPES[machine.capability],
    containment: { default: 'group', available: [], notes: ['Its own program looks after its processes.'] },
    limits: { runSeconds: 'none', silenceSeconds: 'none', memoryMb: 'none', cpus: 'none', logBytes: 'none' },
    signalKnown: false,
  };
}
