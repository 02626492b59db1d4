import type { Refusal } from '@muster/protocol';
import { eventually } from '@muster/testing';
import { DiskGuard } from './disk-guard.js';

describe('a machine that cannot take jobs', () => {
  it.each(['diskFloor', 'noSlot'] as const)(
    'is not offered any while it says %s, and is again when that is over',
    async (why) => {
      const machine: { objection: Refusal | null } = { objection: null };
      const told: (Refusal | null)[] = [];
      const guard = new DiskGuard(
        { objection: () => Promise.resolve(machine.objection) },
        { debug() {}, info() {}, warn() {}, error() {} },
        5,
      );
      await guard.start((objection) => told.push(objection));
      try {
        expect(told).toEqual([]);
        machine.objection = why;
        await eventually('it objects', () => told.length === 1);
        expect([told, guard.isFull]).toEqual([[why], why === 'diskFloor']);
        machine.objection = null;
        await eventually('it objects no more', () => told.length === 2);
        expect([told, guard.isFull]).toEqual([[why, null], false]);
      } finally {
        guard.stop();
      }
    },
    30_000,
  );
});
