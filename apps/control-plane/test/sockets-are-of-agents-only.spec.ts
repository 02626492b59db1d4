import { AGENT_NAMESPACE, AGENT_TO_SERVER_EVENTS, ROLES } from '@muster/protocol';
import type { AgentToServerEvents } from '@muster/protocol';
import { eventually, FakeAgent } from '@muster/testing';
import { io } from 'socket.io-client';
import { AgentGateway } from '../src/sockets/agent.gateway.js';
import { EVENT_ACCESS } from '../src/sockets/event-access.js';
import { startHarness, type Harness } from './control-plane-harness.js';

const REF = { attemptId: 'att_01JDABCDEF0123456789ABCDEF', epoch: 1 };
/** A message of each kind that has the agreed shape; a hello is made by the agent. */
const SMALLEST: Partial<Record<keyof AgentToServerEvents, object>> = {
  'worker:beat': { session: 1, executions: [], sample: null, paused: false, slotsFree: 1 },
  'attempt:start': REF,
  'attempt:refuse': { ...REF, reason: 'noSlot' },
  'attempt:end': {
    ...REF, outcome: 'succeeded', exit: null, detail: null, usage: { cpuSeconds: null, memoryBytesPeak: null, wallSeconds: null },
    containment: 'group', leftovers: 0, logs: {}, ranMs: null,
  },
  'attempt:progress': { ...REF, fraction: null, message: null },
  'log:append': { ...REF, stream: 'output', offset: 0, rawLength: 1, encoding: 'identity', readAt: '2026-11-22T10:00:00.000Z', bytes: Buffer.from('x') },
  'metrics:append': { ...REF, offset: 0, rawLength: 1, points: [] },
};

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness?.stop());

describe('sockets', () => {
  interface Events {
    readonly namespaces: string[];
    readonly events: string[];
  }
  /** What the server itself listens to: its namespaces, and the events of a socket of an agent. */
  async function listened(): Promise<Events> {
    const agent = await harness.agent();
    const namespace = harness.controlPlane.app.get(AgentGateway).namespace;
    const [socket] = namespace?.sockets.values() ?? [];
    const events = socket?.eventNames().map(String) ?? [];
    agent.leave();
    return { namespaces: [...(namespace?.server._nsps.keys() ?? [])], events };
  }

  it('are of agents only, and every event says what it needs', async () => {
    const { namespaces, events } = await listened();
    expect(namespaces.sort()).toEqual(['/', AGENT_NAMESPACE]);
    expect(events.filter((name) => name.includes(':')).sort()).toEqual(Object.keys(EVENT_ACCESS).sort());
    expect(Object.keys(EVENT_ACCESS).sort()).toEqual([...AGENT_TO_SERVER_EVENTS].sort());
  });

  it('are not opened in the namespace that every server has, and the transport is closed', async () => {
    const { secret } = await harness.createKey('admin');
    for (const auth of [{}, { key: secret }, { key: harness.workerKey }]) {
      const socket = io(harness.controlPlane.url, { transports: ['websocket'], reconnection: false, forceNew: true, auth });
      const refusal = await new Promise<Error & { data?: { code?: string } }>((resolve, reject) => {
        socket.once('connect', () => reject(new Error('let in')));
        socket.once('connect_error', resolve);
      });
      expect(refusal.data?.code).toBe('unauthenticated');
      await eventually('the transport is closed', () => socket.io.engine.readyState === 'closed');
      socket.disconnect();
    }
  });

  it.each(ROLES)('let in a key of the role %s only if agents have it', async (role) => {
    const { secret } = await harness.createKey(role);
    const agent = new FakeAgent({ url: harness.controlPlane.url, key: secret });
    const opened = agent.connect().then(() => 'let in', (refusal: { code: string }) => (/^(unauthenticated|flood)$/.test(refusal.code) ? 'refused' : refusal.code));
    expect(await opened).toBe(role === 'worker' ? 'let in' : 'refused');
    agent.leave();
  });

  it.each(Object.entries(EVENT_ACCESS))('answer %s as it declares: with a %s', async (event, needed) => {
    const agent = new FakeAgent({ url: harness.controlPlane.url, key: harness.workerKey });
    await agent.connect();
    const answer = await agent.call(event, SMALLEST[event as keyof AgentToServerEvents] ?? agent.helloMessage());
    expect(answer).toMatchObject(needed === 'socket' ? { ok: expect.anything() } : { error: { code: 'notSynced' } });
    agent.leave();
  });
});
