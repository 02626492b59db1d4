/** Troubles that chance meets once in very many schedules: arranged by hand, with and without the rule that stands against them. */
import { NO_FAULTS } from '../settings/faults.js';
import { settingsOf } from '../settings/settings.js';
import { PRODUCT, PRODUCT_SHELL } from '../world/reducers.js';
import type { Reducers } from '../world/reducers.js';
import { World } from '../world/world.js';

describe('a first hello that lay in a frozen replica for minutes', () => {
  test('changes nothing for the agent that was started since', () => {
    const { machines, counters } = afterLateHello(PRODUCT);
    expect(counters.get('late first hellos refused')).toBe(1);
    expect(machines[0]?.host?.isAlive).toBe(true);
    expect(counters.has('agent exit superseded')).toBe(false);
  });

  test('would take the worker from it, were it not refused', () => {
    const withoutRule: Reducers = { ...PRODUCT, shell: { ...PRODUCT_SHELL, refusesLateHellos: false } };
    expect(() => afterLateHello(withoutRule)).toThrow('superseded only by another');
  });
});

/** The agent says hello to a replica that freezes; it is started anew, served by the other one, and cut off when the hello comes. */
function afterLateHello(reducers: Reducers): World {
  const world = new World({ ...settingsOf(1, 'reclaim', { machineCount: 1 }), faults: NO_FAULTS }, { reducers, isTraced: false });
  const [machine] = world.machines;
  machine?.startAgent();
  const first = machine?.host;
  const connection = first && world.connect(first);
  if (!machine || !first || !connection) throw new Error('There is nobody to say hello, or to hear it.');
  const body = { instanceId: first.instanceId, session: 0, slots: machine.slots, executions: [] };
  connection.replica.receive(connection, { kind: 'hello', body }, () => undefined);
  connection.replica.freeze(200_000);
  first.die('crash');
  machine.startAgent();
  world.scheduler.runUntil(20_000);
  for (const { index } of world.replicas) world.network.cut(machine.index, index, 'up', 240_000);
  world.scheduler.runUntil(400_000);
  return world;
}
