import { checkModel } from './check-model.js';

/**
 * Beyond it no run begins; shrinking a divergence may take longer. Beside a busy test run two cores do 25 to 40 runs in it,
 * 700 to 1,200 commands: that little is a watch over changes, and it is `model.long.spec.ts` that searches.
 */
const SECONDS = 45;
/** More than the seconds allow anywhere. */
const RUNS_MAX = 500;

describe('the control plane and a small model of it', () => {
  it(
    'say the same after every command of random sequences',
    async () => {
      await checkModel({ runs: Number(process.env.MODEL_RUNS ?? RUNS_MAX), seconds: Number(process.env.MODEL_SECONDS ?? SECONDS) });
    },
    15 * 60_000,
  );
});
