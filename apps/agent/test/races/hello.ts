import type { Hello } from '@muster/protocol';
import { CAPABILITIES } from '../connection/runtime-harness.js';

/** Who the racing agent is. */
export const HELLO: Omit<Hello, 'session' | 'executions' | 'slots'> = {
  protocolVersion: '1.0',
  agentVersion: '0',
  machineId: 'machine',
  instanceId: '0000000001-racing',
  bootId: 'boot',
  name: 'racing',
  inventory: {
    ...CAPABILITIES,
    hostname: '',
    platform: '',
    arch: '',
    osRelease: '',
    cpuModel: '',
    cpuCores: 1,
    memoryMb: 1,
    diskMb: null,
    gpus: [],
    capability: 'cpu',
    contentTypes: [],
    labels: {},
  },
};
