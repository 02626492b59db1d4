import type { FaultKind } from '../plan.js';
import { agentCrash, agentKill, agentStop } from './agents.js';
import { databaseEnd, replicaEnd, replicaStop } from './control-planes.js';
import { diskFull } from './disks.js';
import type { FaultOf } from './fault.js';
import { supervisorKill, supervisorStop, wardenEnd } from './supervisors.js';
import { wireCut, wireReset, wireSlow } from './wires.js';

export const FAULTS: Readonly<Record<FaultKind, FaultOf>> = {
  agentKill,
  agentCrash,
  agentStop,
  replicaEnd,
  replicaStop,
  databaseEnd,
  supervisorKill,
  supervisorStop,
  wardenEnd,
  wireSlow,
  wireCut,
  wireReset,
  diskFull,
};
