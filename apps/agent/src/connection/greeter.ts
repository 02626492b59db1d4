import type { AgentEffect } from '@muster/domain';
import { PROTOCOL_VERSION_TEXT } from '@muster/protocol';
import type { Hello } from '@muster/protocol';
import type { Identity } from '../identity/identity.js';
import type { InventoryReader } from '../inventory/inventory-reader.js';

type Facts = Pick<Hello, 'name' | 'slots' | 'agentVersion' | 'bootId'>;

/** Says who this agent is, with the machine as it is now. */
export class Greeter {
  constructor(
    readonly identity: Identity,
    readonly inventory: InventoryReader,
    readonly facts: Facts,
  ) {}

  async hello({ session, executions, gpusHeld }: Extract<AgentEffect, { type: 'sendHello' }>): Promise<Hello> {
    const inventory = await this.inventory.read();
    const { workerId, machineId, instanceId } = this.identity;
    const known = workerId ? { workerId } : {};
    return {
      protocolVersion: PROTOCOL_VERSION_TEXT,
      ...this.facts,
      ...known,
      machineId,
      instanceId,
      session,
      inventory,
      executions,
      gpusHeld,
    };
  }
}
