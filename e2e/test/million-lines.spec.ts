import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fixture, startCluster, type Cluster } from '../src/cluster.js';
import { eventually } from '../src/eventually.js';
import { expectedLines } from '../src/expected-lines.js';

const LINES = 1_000_000;
const WIDTH = 60;
/** Of the agent and of the control plane, in turn. */
const KILLS = 6;

describe('a log of a million lines', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster();
  });
  afterAll(() => cluster?.stop());
  const storedLength = async (id: string): Promise<number> => (await cluster.api.attempts(id)).at(-1)?.logs.output?.storedLength ?? 0;

  test('is stored with the same SHA-256 though agent and control plane are killed several times meanwhile', async () => {
    const agent = await cluster.startAgent('one');
    const until = join(cluster.folder, 'second-half');
    const id = await cluster.api.submit({
      name: 'million',
      run: { command: [process.execPath, fixture('prints-lines.mjs')] },
      env: { LINES: String(LINES), WIDTH: String(WIDTH), BURST: '5000', PACE_MS: '60', UNTIL: until },
    });
    // Each kill falls while bytes flow again after the one before, however fast this machine is, and the last before the end.
    for (let kill = 0; kill < KILLS; kill++) {
      const bytes = ((kill / KILLS) * LINES * WIDTH) / 2;
      await eventually(`more than ${bytes} bytes are stored`, async () => ((await storedLength(id)) > bytes ? true : undefined));
      const part = kill % 2 === 0 ? agent : cluster.controlPlane;
      await part.kill('SIGKILL');
      part.start();
    }
    writeFileSync(until, '');
    expect(await cluster.api.waitForEnd(id, 180_000)).toMatchObject({ status: 'completed', exitCode: 0, attemptCount: 1 });
    const stored = await cluster.api.completeLog(id, 180_000);
    expect(createHash('sha256').update(stored).digest('hex')).toBe(createHash('sha256').update(expectedLines(LINES, WIDTH)).digest('hex'));
    const log = (await cluster.api.attempts(id)).at(-1)?.logs.output;
    expect(log).toMatchObject({ storedLength: LINES * WIDTH, finalLength: LINES * WIDTH, lineCount: LINES, state: 'complete' });
  });
});
