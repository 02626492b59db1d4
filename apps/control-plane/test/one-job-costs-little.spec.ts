import { Socket } from 'node:net';
import type { JobView, Offer } from '@muster/protocol';
import { eventually, type FakeAgent } from '@muster/testing';
import { sql } from '../src/database/sql.js';
import { Dispatcher } from '../src/dispatch/dispatcher.js';
import { SubmissionLane } from '../src/jobs/submission-lane.js';
import { startHarness, type Harness } from './control-plane-harness.js';
import { restAs, type Rest } from './rest.js';
import { watchStatements } from './sent-statements.js';

jest.setTimeout(120_000);

const TRUE = { run: { command: ['/bin/true'] } };
/** Tries until none of them was disturbed, also on a machine that is slow. */
const TIMES = 40;
const NOTHING: Cost = { statements: 0, transactions: 0 };
const JOBS_CLOSED = sql`lock table job in share mode`;
const JOBS_WAITED_FOR = sql`select 1 as found from pg_locks where not granted and relation = 'job'::regclass`;

interface Cost {
  readonly statements: number;
  readonly transactions: number;
}

let harness: Harness;
let ada: Rest;
let agent: FakeAgent;
beforeAll(async () => {
  harness = await startHarness();
  ada = await restAs(harness, 'submitter', 'ada');
  agent = await harness.agent({ slots: 2 });
});
afterAll(() => harness?.stop());
afterEach(() => jest.restoreAllMocks());

/** A statement by itself is a transaction of its own. */
function costOf(texts: readonly string[]): Cost {
  const begun = texts.filter((text) => text === 'begin').length;
  let isInside = false;
  const alone = texts.filter((text) => {
    if (text === 'begin' || text === 'commit') {
      isInside = text === 'begin';
      return false;
    }
    return !isInside;
  });
  return { statements: texts.length, transactions: begun + alone.length };
}

/**
 * The least of several times, which end when it is no more than expected: what the clock starts meanwhile, such as the poll
 * or the look at a key, only adds. A beat at the end of each lets everything follow that follows at once; beats have a
 * connection of their own.
 */
async function least(pools: readonly string[], most: Cost, work: () => Promise<unknown>): Promise<Cost> {
  const taken = watchStatements();
  let best: Cost = { statements: Infinity, transactions: Infinity };
  for (let time = 0; time < TIMES && exceeds(best, most); time += 1) {
    await agent.beat([]);
    pools.forEach(taken);
    await work();
    await agent.beat([]);
    const cost = costOf(pools.flatMap(taken));
    if (exceeds(best, cost)) best = cost;
  }
  return best;
}

function exceeds(one: Cost, other: Cost): boolean {
  return one.transactions > other.transactions || (one.transactions === other.transactions && one.statements > other.statements);
}

async function wholeJob(): Promise<void> {
  const [offer] = await Promise.all([agent.nextOffer(), ada.post<JobView>('/jobs', TRUE)]);
  await runThrough(offer);
}

async function runThrough(offer: Offer): Promise<void> {
  await agent.start(offer);
  await agent.end(offer);
}

/** How often bytes were handed to the system by those who took connections on this port. */
function countSends(port: number): () => number {
  const spies = [jest.spyOn(Socket.prototype, '_write'), jest.spyOn(Socket.prototype, '_writev' as '_write')];
  const isOurs = (by: unknown): boolean => by instanceof Socket && by.localPort === port;
  return () => spies.reduce((sum, { mock }) => sum + mock.contexts.filter(isOurs).length, 0);
}

describe('one job on an idle stack', () => {
  it.each([
    [['submissions', 'dispatch'], { statements: 10, transactions: 1 }],
    [['transitions'], { statements: 12, transactions: 2 }],
    [['shared'], { statements: 0, transactions: 0 }],
  ])('asks the database through %s no more than so often', async (pools, most) => {
    expect(await least(pools, most, wholeJob)).toEqual(most);
  });
});

describe('a turn of dispatch', () => {
  it('that finds nothing is one statement without a transaction, beside the one that ends backoffs', async () => {
    const most = { statements: 2, transactions: 2 };
    expect(await least(['dispatch'], most, () => harness.controlPlane.app.get(Dispatcher).tick())).toEqual(most);
  });

  it('is not taken for a job that comes while every slot here is held, and is taken when one becomes free', async () => {
    await Promise.all([ada.post('/jobs', TRUE), ada.post('/jobs', TRUE)]);
    const held = [await agent.nextOffer(), await agent.nextOffer()];
    let waiting = 0;
    const submit = async (): Promise<void> => {
      await ada.post('/jobs', TRUE);
      waiting += 1;
    };
    expect(await least(['dispatch'], NOTHING, submit)).toEqual(NOTHING);
    for (const offer of held) await runThrough(offer);
    for (; waiting > 0; waiting -= 1) await runThrough(await agent.nextOffer());
  });
});

describe('a slot that becomes free while others stand in line', () => {
  it('is filled with the commit of the end, without a turn of dispatch', async () => {
    const many = 80;
    for (let count = 0; count < many; count += 20) await ada.post('/jobs', { jobs: Array.from({ length: 20 }, () => TRUE) });
    let left = many;
    const next = async (): Promise<void> => {
      await runThrough(await agent.nextOffer());
      left -= 1;
    };
    const most = { statements: 18, transactions: 2 };
    expect(await least(['dispatch', 'transitions'], most, next)).toEqual(most);
    while (left > 0) await next();
  });

  it('is told to its agent in one piece with the answer to the end', async () => {
    const many = 20;
    await ada.post('/jobs', { jobs: Array.from({ length: many }, () => TRUE) });
    const held = [await agent.nextOffer(), await agent.nextOffer()];
    const sends = countSends(Number(new URL(harness.controlPlane.url).port));
    let fewest = Infinity;
    for (let left = many - held.length; left > 0; left -= 1) {
      const offer = held.shift() as Offer;
      await agent.start(offer);
      const before = sends();
      const [next] = await Promise.all([agent.nextOffer(), agent.end(offer)]);
      fewest = Math.min(fewest, sends() - before);
      held.push(next);
    }
    for (const offer of held) await runThrough(offer);
    expect(fewest).toBe(1);
  });
});

describe('submissions that come while another is being committed', () => {
  it('share one statement', async () => {
    const many = 20;
    const order = { ...TRUE, needs: { labels: { on: 'none' } } };
    const taking = jest.spyOn(harness.controlPlane.app.get(SubmissionLane), 'take');
    const taken = watchStatements();
    let answers: Promise<{ status: number }[]> = Promise.resolve([]);
    await harness.database.transaction(async (connection) => {
      await connection.execute(JOBS_CLOSED);
      const first = ada.post('/jobs', order);
      await eventually('the first submission waits for the table', async () => (await harness.database.query(JOBS_WAITED_FOR)).length > 0);
      const others = Array.from({ length: many }, () => ada.post('/jobs', order));
      await eventually('all others have come to the lane', async () => taking.mock.calls.length === many + 1);
      answers = Promise.all([first, ...others]);
    });
    expect(new Set((await answers).map(({ status }) => status))).toEqual(new Set([201]));
    expect(taken('submissions')).toHaveLength(2);
  });
});
