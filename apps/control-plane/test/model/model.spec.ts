import { checkModel } from './check-model.js';

/** Beyond it no run begins; shrinking a divergence may take longer. */
const SECONDS = 45;

describe('the control plane and a small model of it', () => {
  it(
    'say the same after every command of random sequences',
    async () => {
      await checkModel({ runs: Number(process.env.MODEL_RUNS ?? 500), seconds: Number(process.env.MODEL_SECONDS ?? SECONDS) });
    },
    15 * 60_000,
  );
});
