import type { Random } from '@muster/testing';
import { fixture } from '../../src/cluster.js';

/** How the main process ends when nobody stops it. */
export interface ExpectedExit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** A job to submit, and what must become of it. */
export interface ChaosJob {
  readonly fixture: string;
  readonly spec: Readonly<Record<string, unknown>>;
  readonly exit: ExpectedExit;
  /** Program and environment that print the expected log when run by hand; null when `log` says it. */
  readonly printer: { readonly program: readonly string[]; readonly env: Environment } | null;
  readonly log: string | null;
  /** Leaves metrics and a result of fixtures/reports.mjs. */
  readonly reports: boolean;
  readonly exclusive: boolean;
  /** Its lease ends that long after W without a renewal. */
  readonly lostAfterSeconds: number;
  /** Every process of it notes its time, as fixtures/marks-its-time.mjs does. */
  readonly marks: boolean;
  /** A person cancels it that long after its submission. */
  readonly cancelAfterMs: number | null;
  readonly forceCancel: boolean;
  /** A person pauses it that long after its submission, and lets it go on again. */
  readonly pause: { readonly afterMs: number; readonly lengthMs: number } | null;
}

interface Surroundings {
  readonly marksFile: string;
  /** Every process of every job carries it in its environment, however it came to be. */
  readonly marker: string;
}

/** Losses are tried again without a pause and as often as it takes; what is left is Muster's own ceiling (poison). */
const PATIENT = { retry: { backoffSeconds: 0, onWorkerLost: 50 } };
/** Programs that cannot wait for a full disk stay away from the worker that has one. */
const LARGE_DISK = { needs: { labels: { disk: 'large' } } };
const node = process.execPath;

type Made = Partial<ChaosJob> & { readonly spec: Readonly<Record<string, unknown>> & { readonly env?: Environment } };
type Environment = Readonly<Record<string, string>>;
type Maker = (chance: Random, around: Surroundings) => Made;

const marksItsTime = (chance: Random, { marksFile }: Surroundings, extra: Record<string, string> = {}) => {
  const env = { TICKS: String(chance.whole(10, 45)), ...extra };
  const program = [node, fixture('marks-its-time.mjs')];
  const run = { command: program };
  const spec = { run, env: { ...env, TICK_MS: String(chance.whole(60, 200)), MARKS: marksFile } };
  return { spec, printer: { program, env }, marks: true };
};

const counts: Maker = (chance, around) => {
  const code = chance.pick([0, 0, 0, 3, 77]);
  const program = marksItsTime(chance, around, { EXIT_CODE: String(code) });
  return { ...program, exit: { code, signal: null }, lostAfterSeconds: chance.pick([1, 30, 300]) };
};

const countsAlone: Maker = (chance, around) => {
  const { spec, ...program } = marksItsTime(chance, around);
  const lostAfterSeconds = chance.pick([1, 3, 20]);
  return { ...program, spec: { ...spec, graceSeconds: 0 }, lostAfterSeconds, exclusive: true };
};

const stubborn: Maker = (chance, around) => {
  const { spec, ...program } = marksItsTime(chance, around, { IGNORE_TERM: '1' });
  return { ...program, spec: { ...spec, graceSeconds: 1 }, cancelAfterMs: chance.whole(500, 6_000) };
};

const cancelled: Maker = (chance, around) => {
  const { spec, ...program } = marksItsTime(chance, around);
  return {
    ...program,
    spec: { ...spec, graceSeconds: 2 },
    lostAfterSeconds: chance.pick([1, 300]),
    cancelAfterMs: chance.whole(0, 5_000),
    forceCancel: chance.next() < 0.3,
  };
};

const paused: Maker = (chance, around) => {
  const program = marksItsTime(chance, around);
  const pause = { afterMs: chance.whole(300, 4_000), lengthMs: chance.whole(200, 3_000) };
  return { ...program, lostAfterSeconds: chance.pick([2, 300]), pause };
};

const lines: Maker = (chance) => {
  const program = [node, fixture('prints-lines.mjs')];
  const env = { LINES: String(chance.whole(2_000, 12_000)), WIDTH: String(chance.whole(20, 120)) };
  const spec = {
    run: { command: program },
    env: { ...env, BURST: '300', PACE_MS: String(chance.whole(40, 120)) },
    ...LARGE_DISK,
  };
  return { spec, printer: { program, env } };
};

const bytes: Maker = (chance) => {
  const program = [node, fixture('prints-bytes.mjs')];
  const env = { BYTES: String(chance.whole(1, 400_000)), SEED: String(chance.whole(1, 1_000_000)) };
  return {
    spec: { run: { command: program }, env: { ...env, PACE_MS: '150' }, ...LARGE_DISK },
    printer: { program, env },
  };
};

const tree: Maker = (chance) => {
  const code = chance.pick([0, 9]);
  const env = { NAP: '600', SECONDS_LONG: String(chance.whole(1, 3)), EXIT_CODE: String(code) };
  return {
    spec: { run: { command: ['/bin/sh', fixture('leaves-a-tree.sh')] }, env, ...LARGE_DISK },
    exit: { code, signal: null },
    log: 'grown\n',
  };
};

const exits: Maker = (chance) => {
  const code = chance.whole(1, 120);
  const shell = `echo one; sleep 0.${chance.whole(1, 9)}; echo two >&2; exit ${code}`;
  return { spec: { run: { shell }, ...LARGE_DISK }, exit: { code, signal: null }, log: 'one\ntwo\n' };
};

const signalled: Maker = (chance) => {
  const name = chance.pick(['KILL', 'TERM', 'SEGV', 'USR1']);
  const shell = `echo before; sleep 0.${chance.whole(1, 9)}; ulimit -c 0; kill -${name} $$; sleep 5`;
  return { spec: { run: { shell }, ...LARGE_DISK }, exit: { code: null, signal: `SIG${name}` }, log: 'before\n' };
};

const reports: Maker = (chance) => {
  const command = [node, fixture('reports.mjs')];
  return {
    spec: { run: { command }, env: { PACE_MS: String(chance.whole(50, 500)) }, ...LARGE_DISK },
    log: 'reported\n',
    reports: true,
  };
};

const tiny: Maker = () => ({ spec: { run: { command: ['/bin/echo', 'tiny'] }, ...LARGE_DISK }, log: 'tiny\n' });

/** With how many of a deck of jobs each makes. */
const MAKERS: readonly (readonly [name: string, weight: number, make: Maker])[] = [
  ['counts', 26, counts],
  ['countsAlone', 16, countsAlone],
  ['stubborn', 5, stubborn],
  ['cancelled', 8, cancelled],
  ['paused', 8, paused],
  ['lines', 7, lines],
  ['bytes', 6, bytes],
  ['tree', 6, tree],
  ['exits', 6, exits],
  ['signalled', 4, signalled],
  ['reports', 8, reports],
  ['tiny', 4, tiny],
];
const ONE_OF_EACH = MAKERS.map(([name, , make]) => ({ name, make }));
const DECK = MAKERS.flatMap(([name, weight, make]) => Array.from({ length: weight }, () => ({ name, make })));
/** What Muster takes when nothing is said. */
const LOST_AFTER_SECONDS = 300;

export const JOB_FIXTURES: readonly string[] = MAKERS.map(([name]) => name);

/** Deals jobs by chance, one of each fixture first: however few there are on a slow machine, no fixture is missing. */
export class JobDeck {
  private readonly cards: { readonly name: string; readonly make: Maker }[];
  private count = 0;

  constructor(
    private readonly chance: Random,
    private readonly around: Surroundings,
  ) {
    this.cards = chance.shuffled(ONE_OF_EACH);
  }

  deal(): ChaosJob {
    if (this.cards.length === 0) this.cards.push(...this.chance.shuffled(DECK));
    const card = this.cards.shift();
    if (!card) throw new Error('There are no fixtures.');
    this.count += 1;
    return this.jobOf(card.name, card.make(this.chance, this.around));
  }

  private jobOf(fixture: string, made: Made): ChaosJob {
    const { marker } = this.around;
    const job = { lostAfterSeconds: LOST_AFTER_SECONDS, exclusive: false, ...made };
    return {
      exit: { code: 0, signal: null },
      printer: null,
      log: null,
      reports: false,
      marks: false,
      cancelAfterMs: null,
      forceCancel: false,
      pause: null,
      ...job,
      fixture,
      spec: {
        ...PATIENT,
        name: `${fixture}-${this.count}`,
        labels: { fixture, chaos: marker },
        disconnect: { lostAfterSeconds: job.lostAfterSeconds, exclusive: job.exclusive },
        ...made.spec,
        env: { ...made.spec.env, CHAOS_RUN: marker },
      },
    };
  }
}
