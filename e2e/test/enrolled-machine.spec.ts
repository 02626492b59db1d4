import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startCluster, type Cluster } from '../src/cluster.js';
import { eventually } from '../src/eventually.js';

interface Token {
  readonly id: string;
  readonly token: string;
}

describe('a machine that enrols itself', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster();
  });
  afterAll(() => cluster?.stop());

  const newToken = async (name: string): Promise<Token> =>
    (await cluster.api.request<Token>('POST', '/api/v1/keys/enrolment-tokens', { name, owner: 'lab' })).body;
  const byToken = ({ token }: Token) => ({ MUSTER_AGENT_KEY_FILE: '', MUSTER_AGENT_ENROLMENT_TOKEN: token });

  test('has a key of its own from then on, is ended with it, and goes on where it was with another', async () => {
    const first = await newToken('lab-3');
    const agent = await cluster.startAgent('lab-3', byToken(first));
    const keyFile = join(cluster.folder, 'agent-lab-3', 'key.json');
    expect(statSync(keyFile).mode & 0o777).toBe(0o600);
    const { key } = JSON.parse(readFileSync(keyFile, 'utf8')) as { key: string };
    const goOn = join(cluster.folder, 'go-on');
    const id = await cluster.api.submit({ name: 'waits', run: { shell: `echo begun; until [ -e '${goOn}' ]; do sleep 0.1; done; env` } });
    await cluster.api.waitForOutput(id);

    // The token is spent and gone, and so is the agent for a moment: its key is on its disk.
    const workers = async () => (await cluster.api.workers()).filter(({ name }) => name === 'lab-3');
    const [worker] = await workers();
    if (!worker) throw new Error('no worker');
    await cluster.api.request('DELETE', `/api/v1/keys/enrolment-tokens/${first.id}`);
    await agent.kill('SIGKILL');
    await eventually('the worker is missed', async () => ((await workers())[0]?.link === 'connected' ? undefined : true));
    agent.start({ MUSTER_AGENT_ENROLMENT_TOKEN: '' });
    await eventually('the worker is back', async () => ((await workers())[0]?.link === 'connected' ? true : undefined));

    // Its key is revoked: it ends and says what to do, and its job lives on.
    const revoked = await cluster.api.request<{ owner: string }>('DELETE', `/api/v1/keys/${worker.keyId}`);
    expect(revoked.body).toMatchObject({ owner: 'lab', name: 'lab-3', role: 'worker' });
    expect(await agent.exit()).toEqual({ code: 78, signal: null });
    expect(agent.output()).toContain(`key ${key.slice(0, 12)}…) Give it a key that works, or a new enrolment token`);

    // Another token, another key, the same worker: the process it left is still its own.
    agent.start(byToken(await newToken('lab-3')));
    await eventually('the worker is back', async () => ((await workers())[0]?.link === 'connected' ? true : undefined));
    writeFileSync(goOn, '');
    expect(await cluster.api.waitForEnd(id)).toMatchObject({ status: 'completed', attemptCount: 1, workerId: worker.id });
    expect((await workers()).map(({ id: workerId }) => workerId)).toEqual([worker.id]);

    const said = [agent.output(), cluster.controlPlane.output(), (await cluster.api.completeLog(id)).toString()].join('\n');
    for (const secret of [first.token.slice(34), key.slice(30)]) expect(said).not.toContain(secret);
    expect(existsSync(join(cluster.folder, 'agent-lab-3', 'enrolment.json'))).toBe(false);
  });
});
