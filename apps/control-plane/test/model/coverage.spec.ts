import type { ServerCommand } from '@muster/domain';
import { AGENT_TO_SERVER_EVENTS, type AgentToServerEvents } from '@muster/protocol';
import type { OpenAPIObject } from '@nestjs/swagger';
import { createOpenApiDocument } from '../../src/http/openapi.js';
import { startHarness } from '../control-plane-harness.js';
import { DEEDS } from './check-model.js';

type DeedName = keyof typeof DEEDS;
type Covered = readonly [DeedName, ...DeedName[]];
/** Why something is not in the model: it changes nothing that the model knows. */
type Exempt = { readonly exempt: string };

/**
 * Which deeds of the model make the control plane decide each command. A new command does not compile until it stands
 * here, and it stands here only with a deed.
 */
const COMMANDS: Readonly<Record<ServerCommand['type'], Covered>> = {
  hello: ['connect', 'restart', 'ghost'],
  beat: ['beat'],
  start: ['takeOffer', 'start'],
  refuse: ['refuse'],
  end: ['end', 'endAny'],
  cancel: ['cancel', 'forceCancel'],
  pause: ['pause'],
  resume: ['resume'],
  requeue: ['requeue'],
  abandon: ['abandon'],
  cordon: ['cordon'],
  drain: ['drain'],
  undrain: ['undrain'],
  setSlots: ['setSlots'],
  removeWorker: ['removeWorker'],
  sweepDrain: ['pass'],
  sweepAttempt: ['pass'],
  sweepQueued: ['pass'],
  workerLink: ['pass', 'kill'],
};

/** Which deeds send each message of an agent. */
const MESSAGES: Readonly<Record<keyof AgentToServerEvents, Covered | Exempt>> = {
  'worker:hello': ['connect', 'restart', 'ghost'],
  'worker:beat': ['beat'],
  'attempt:start': ['takeOffer', 'start'],
  'attempt:refuse': ['refuse'],
  'attempt:end': ['end', 'endAny'],
  'log:append': ['appendLog'],
  'attempt:progress': { exempt: 'the latest wins and it may be lost' },
  'metrics:append': { exempt: 'stored by the rule of log:append, in streams of the same kind' },
};

const SAME_DESK: Exempt = { exempt: 'a program over REST is heard by the desk that hears agents, in the same commands' };

/** Every route that changes something. Reading is what each comparison does. */
const ROUTES: Readonly<Record<string, Covered | Exempt>> = {
  'POST /api/v1/jobs': ['submit', 'submitBatch', 'submitOnce', 'submitAgain'],
  'POST /api/v1/jobs/{id}/cancel': ['cancel', 'forceCancel'],
  'POST /api/v1/jobs/{id}/pause': ['pause'],
  'POST /api/v1/jobs/{id}/resume': ['resume'],
  'POST /api/v1/jobs/{id}/requeue': ['requeue'],
  'POST /api/v1/jobs/{id}/abandon': ['abandon'],
  'POST /api/v1/workers/{id}/cordon': ['cordon'],
  'POST /api/v1/workers/{id}/drain': ['drain'],
  'POST /api/v1/workers/{id}/undrain': ['undrain'],
  'PATCH /api/v1/workers/{id}': ['setSlots'],
  'DELETE /api/v1/workers/{id}': ['removeWorker'],
  'POST /api/v1/attempts/{id}/complete': SAME_DESK,
  'POST /api/v1/attempts/{id}/logs': SAME_DESK,
  'POST /api/v1/attempts/{id}/metrics': SAME_DESK,
  'POST /api/v1/attempts/{id}/progress': SAME_DESK,
  'POST /api/v1/attempts/{id}/renew': SAME_DESK,
  'POST /api/v1/attempts/{id}/start': SAME_DESK,
  'POST /api/v1/workers/register': SAME_DESK,
  'POST /api/v1/workers/{id}/claim': SAME_DESK,
  'POST /api/v1/workers/{id}/heartbeat': SAME_DESK,
  'DELETE /api/v1/keys/{id}': ['revokeKey'],
  'POST /api/v1/keys': { exempt: 'keys are made by the same service for every run' },
  'POST /api/v1/keys/{id}/rotate': { exempt: 'an agent that comes with another secret of its key comes back as after any other cut' },
  'POST /api/v1/keys/enrolment-tokens': { exempt: 'what a machine may take; jobs and workers know nothing of it' },
  'DELETE /api/v1/keys/enrolment-tokens/{id}': { exempt: 'as above' },
  'POST /api/v1/keys/enrol': { exempt: 'a key is made, by the same service as every other' },
};

function changingRoutes(document: OpenAPIObject): string[] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    Object.keys(item).flatMap((method) => (method === 'get' || method === 'parameters' ? [] : [`${method.toUpperCase()} ${path}`])),
  );
}

describe('the model knows', () => {
  it('every route that changes something', async () => {
    const harness = await startHarness();
    try {
      expect(changingRoutes(createOpenApiDocument(harness.controlPlane.app)).sort()).toEqual(Object.keys(ROUTES).sort());
    } finally {
      await harness.stop();
    }
  });

  it('every message of an agent', () => {
    expect(Object.keys(MESSAGES).sort()).toEqual([...AGENT_TO_SERVER_EVENTS].sort());
  });

  it('by each of its deeds something that people, agents or time do', () => {
    const covered = [COMMANDS, MESSAGES, ROUTES].flatMap((table) => Object.values<Covered | Exempt>(table)).flatMap((entry) => ('exempt' in entry ? [] : [...entry]));
    // What is no command: work is given out, keys are replaced, replicas are restarted, and processes do what they like.
    const others: DeedName[] = ['dispatch', 'giveNewKey', 'restartReplica', 'process'];
    expect(Object.keys(DEEDS).sort()).toEqual([...new Set([...covered, ...others])].sort());
  });
});
