import fc from 'fast-check';
import { raceParameters, races } from './check-races.js';
import { settledMarks } from './settled-marks.js';

jest.mock('../../src/connection/settled-mark.js', () => ({
  markSettled: () => settledMarks.write(),
  isMarkedSettled: () => Promise.resolve(false),
}));
jest.setTimeout(900_000);

/** What happens in any thousand races so often that its absence means that the races are not what they were. */
const OFTEN = [
  'processes',
  'accepted',
  'repeated',
  'reclaimed',
  'unleased',
  'stop',
  'reportEnd',
  'frozen',
  'thawed',
  'attempt:refuse',
];

describe('the asynchronous shell of the agent', () => {
  it('keeps its promises in every order of spawns, exits, orders, answers and broken connections', async () => {
    const count = { counters: new Map<string, number>(), runs: 0 };
    const begunMs = performance.now();
    await fc.assert(races(count), raceParameters(Number(process.env.RACES_RUNS ?? 1_000)));
    process.stdout.write(
      `races: ${count.runs} runs, ${Math.round(performance.now() - begunMs)} ms ${JSON.stringify(Object.fromEntries(count.counters))}\n`,
    );
    if (count.runs >= 1_000) expect(OFTEN.filter((what) => (count.counters.get(what) ?? 0) === 0)).toEqual([]);
  });
});
