import { createHash } from 'node:crypto';
import { fixture, startCluster, type Cluster } from '../src/cluster.js';
import { expectedLines } from '../src/expected-lines.js';

const LINES = 1_000_000;
const WIDTH = 60;

describe('a log of a million lines', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster();
  });
  afterAll(() => cluster?.stop());

  test('is stored with the same SHA-256 though agent and control plane are killed several times meanwhile', async () => {
    const agent = await cluster.startAgent('one');
    const id = await cluster.api.submit({
      name: 'million',
      run: { command: [process.execPath, fixture('prints-lines.mjs')] },
      env: { LINES: String(LINES), WIDTH: String(WIDTH), BURST: '5000', PACE_MS: '60' },
    });
    await cluster.api.waitForOutput(id);
    for (let round = 0; round < 3; round++) {
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      await agent.kill('SIGKILL');
      agent.start();
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      await cluster.controlPlane.kill('SIGKILL');
      cluster.controlPlane.start();
    }
    expect(await cluster.api.waitForEnd(id, 180_000)).toMatchObject({ status: 'completed', exitCode: 0, attemptCount: 1 });
    const stored = await cluster.api.completeLog(id, 180_000);
    expect(createHash('sha256').update(stored).digest('hex')).toBe(createHash('sha256').update(expectedLines(LINES, WIDTH)).digest('hex'));
    const log = (await cluster.api.attempts(id)).at(-1)?.logs.output;
    expect(log).toMatchObject({ storedLength: LINES * WIDTH, finalLength: LINES * WIDTH, lineCount: LINES, state: 'complete' });
  });
});
