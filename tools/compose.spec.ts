import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LIMITS } from '@muster/protocol';
import { KNOWN_NAMES } from '@muster/runtime';
import { parse } from 'yaml';
import { processEnvironment, readCompose } from './lib/compose.mjs';

const ROOT = join(import.meta.dirname, '..');
const text = readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8');

function setup() {
  const services = readCompose(text, {});
  const portOf = (name: string, container: number) =>
    name === 'control-plane-2' ? container + 1_001 : container + 1_000;
  const places = { databaseUrl: 'postgres://embedded', folder: '/data', portOf };
  const environmentOf = (name: string): Record<string, string> => {
    const service = services.find((candidate) => candidate.name === name);
    if (!service) throw new Error(`No service ${name}.`);
    return processEnvironment(service, services, places);
  };
  return { services, environmentOf };
}

describe('docker-compose.yml', () => {
  it('runs PostgreSQL, two control planes and three agents', () => {
    const { services } = setup();
    const kinds = services.map(({ kind }) => kind);
    expect(kinds).toEqual(['postgres', 'controlPlane', 'controlPlane', 'agent', 'agent', 'agent']);
  });

  it('sets only what our programs know', () => {
    const { services } = setup();
    const names = services
      .filter(({ kind }) => kind !== 'postgres')
      .flatMap(({ environment }) => Object.keys(environment));
    expect(names.filter((name) => name !== 'DATABASE_URL' && !KNOWN_NAMES.includes(name))).toEqual([]);
  });

  it('builds images from files that are there and run as an ordinary user below an init with a health check', () => {
    for (const path of ['apps/control-plane/Dockerfile', 'apps/agent/Dockerfile']) {
      const file = join(ROOT, path);
      expect(existsSync(file)).toBe(true);
      const content = readFileSync(file, 'utf8');
      expect(content).toMatch(/^USER node$/m);
      expect(content).toContain('ENTRYPOINT ["tini", "--"]');
      expect(content).toContain('HEALTHCHECK');
    }
  });

  it('stops the jobs of an agent whose container ends', () => {
    const { environmentOf } = setup();
    expect(environmentOf('agent-1').MUSTER_AGENT_ON_TERM).toBe('stop');
    expect(readFileSync(join(ROOT, 'apps/agent/Dockerfile'), 'utf8')).toContain('MUSTER_AGENT_ON_TERM=stop');
  });

  it('gives the agents the longest grace of a job and time to report it, before their containers are killed', () => {
    const { services }: { services: Record<string, { stop_grace_period?: string }> } = parse(text, { merge: true });
    const periods = ['agent-1', 'agent-2', 'agent-3'].map((name) => services[name]?.stop_grace_period);
    const seconds = periods.map((period) => Number(/^(\d+)s$/.exec(period ?? '')?.[1]));
    expect(Math.min(...seconds)).toBeGreaterThanOrEqual(LIMITS.graceSecondsMax + 30);
  });

  it('never mounts the admin key into an agent, whose jobs could read it', () => {
    const { services } = setup();
    const adminVolumes = services
      .flatMap(({ environment, volumes }) =>
        volumes.filter(({ path }: { path: string }) => environment.MUSTER_BOOTSTRAP_ADMIN_KEY_FILE?.startsWith(path)),
      )
      .map(({ volume }) => volume);
    const agentVolumes = services
      .filter(({ kind }) => kind === 'agent')
      .flatMap(({ volumes }) => volumes.map(({ volume }: { volume: string }) => volume));
    expect(adminVolumes).toEqual(['admin-key', 'admin-key']);
    expect(agentVolumes).not.toContain('admin-key');
  });

  it('publishes its ports on loopback only', () => {
    expect(text.match(/ports: \[.*\]/g)).toEqual(["ports: ['127.0.0.1:6878:6878']", "ports: ['127.0.0.1:6879:6878']"]);
  });
});

describe('a service as a process', () => {
  it('finds the others on loopback and its files in folders of ours', () => {
    const { environmentOf } = setup();
    expect(environmentOf('control-plane-2')).toMatchObject({
      DATABASE_URL: 'postgres://embedded',
      MUSTER_HOST: '127.0.0.1',
      MUSTER_PORT: '7879',
      MUSTER_BOOTSTRAP_WORKER_KEY_FILE: '/data/volumes/worker-key/worker.key',
    });
    expect(environmentOf('agent-2')).toMatchObject({
      MUSTER_URL: 'http://127.0.0.1:7879',
      MUSTER_AGENT_NAME: 'agent-2',
      MUSTER_AGENT_KEY_FILE: '/data/volumes/worker-key/worker.key',
      MUSTER_AGENT_STATE_DIR: '/data/volumes/agent-2',
    });
  });

  it('shares volumes that have one name and only those', () => {
    const { environmentOf } = setup();
    const stateDirs = ['agent-1', 'agent-2', 'agent-3'].map((name) => environmentOf(name).MUSTER_AGENT_STATE_DIR);
    expect(new Set(stateDirs).size).toBe(3);
  });

  it('takes variables from the environment and defaults where there is none', () => {
    const url = (env: Record<string, string>) => readCompose(text, env)[1]?.environment.DATABASE_URL;
    expect(url({})).toBe('postgres://muster:muster@postgres:5432/muster');
    expect(url({ POSTGRES_PASSWORD: 'better' })).toBe('postgres://muster:better@postgres:5432/muster');
  });

  it('is refused when it is none of ours', () => {
    expect(() => readCompose('services: { cache: { image: redis } }', {})).toThrow('service cache has the image redis');
  });
});
