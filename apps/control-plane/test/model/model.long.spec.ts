import { checkModel, DEEDS } from './check-model.js';
import { counts } from './command.js';

const SECONDS = 30 * 60;

describe('the control plane and a small model of it, for a long time,', () => {
  it(
    'say the same after every command of very many random sequences, in which every command happens',
    async () => {
      await checkModel({ runs: Number(process.env.MODEL_RUNS ?? 20_000), seconds: Number(process.env.MODEL_SECONDS ?? SECONDS) });
      expect(Object.keys(DEEDS).filter((name) => !counts.has(name))).toEqual([]);
    },
    120 * 60_000,
  );
});
