import { createLogger } from '@muster/runtime';
import { eventually, FaultProxy, freshDatabase, type FreshDatabase } from '@muster/testing';
import { configWith } from '../src/config.js';
import { startControlPlane, type ControlPlane } from '../src/control-plane.js';

jest.setTimeout(120_000);

describe('a control plane that starts while PostgreSQL comes and goes', () => {
  let fresh: FreshDatabase;
  let wire: FaultProxy;
  let replica: ControlPlane | undefined;
  let warnings: string[];
  const log = createLogger({ name: 'test', level: 'warn', sink: { write: (line) => void warnings.push(line) } });
  const isWaiting = (): boolean => warnings.join('').includes('waiting for the database');
  beforeEach(() => {
    warnings = [];
  });
  afterEach(async () => {
    await replica?.stop();
    await wire?.close();
    await fresh?.drop();
  });

  it('waits for it again when it is gone between the migrations and the first keys', async () => {
    fresh = await freshDatabase({ version: 'empty', migrate: () => Promise.resolve() });
    const url = new URL(fresh.url);
    const port = Number(url.port);
    let asked = 0;
    // The migrations take two connections; those who ask next find nobody.
    wire = await FaultProxy.open({ targets: () => ((asked += 1) > 2 && asked <= 5 ? [] : [port]) });
    url.port = String(wire.port);
    replica = await startControlPlane({ config: configWith({ databaseUrl: url.href, port: 0 }), log });
    expect(isWaiting()).toBe(true);
    expect((await fetch(`${replica.url}/health/ready`)).status).toBe(200);
  });

  it('waits on when its connections are taken and nobody answers', async () => {
    fresh = await freshDatabase({ version: 'empty', migrate: () => Promise.resolve() });
    const url = new URL(fresh.url);
    const port = Number(url.port);
    wire = await FaultProxy.open({ targets: () => [port] });
    wire.shape('toClient', { isCut: true });
    url.port = String(wire.port);
    const starting = startControlPlane({ config: configWith({ databaseUrl: url.href, port: 0 }), log });
    await Promise.race([starting, eventually('it waits', isWaiting, { timeoutMs: 60_000 })]);
    wire.heal();
    replica = await starting;
    expect((await fetch(`${replica.url}/health/ready`)).status).toBe(200);
  });
});
