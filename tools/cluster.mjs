// npm run cluster: the services of docker-compose.yml as processes on this machine. Ctrl-C stops them all.
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { endWithNpm } from './lib/npm-parent.mjs';
import { prepare } from './lib/preparation.mjs';
import { ROOT } from './lib/root.mjs';

endWithNpm();
await prepare();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.removeAllListeners(signal);
// Only now is everything there that these need.
const { readCompose, processEnvironment } = await import('./lib/compose.mjs');
const {
  anyFreePort,
  chooseDataDirectory,
  endLeftover,
  identityFileOf,
  installShutdown,
  nextFreePort,
  prepareDataDirectory,
  Service,
  startEmbeddedPostgres,
  tryLock,
  waitUntilReady,
} = await import('../libs/local-stack/dist/index.js');

const folder = `${chooseDataDirectory(process.env)}-cluster`;
const services = readCompose(readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8'), process.env);
const running = [];
let postgres;
const aborted = new AbortController();

const shutdown = installShutdown({
  run: stopAll,
  insist: () => running.filter(({ kind }) => kind === 'agent').forEach(({ service }) => service.signal('SIGINT')),
  onError: (error) => console.error(error),
});
try {
  await startAll();
} catch (error) {
  if (!shutdown.isRequested) {
    console.error(error.message);
    await stopAll();
    process.exit(1);
  }
}

async function startAll() {
  prepareDataDirectory(folder, { isPostgresInside: true });
  const outcome = await tryLock(join(folder, 'cluster.lock'));
  if ('heldBy' in outcome) throw new Error(`A cluster is already running on ${folder}: pid ${outcome.heldBy.pid}.`);
  console.log(`Cluster of docker-compose.yml as processes; data in ${folder}`);
  await Promise.all(services.map(({ name }) => endLeftover(identityFileOf(join(folder, 'running'), name), 15_000)));

  const begunAtMs = performance.now();
  const told = (text) =>
    console.log(`  ${((performance.now() - begunAtMs) / 1_000).toFixed(1).padStart(5)} s  ${text}`);
  postgres = await startEmbeddedPostgres({ dataDir: join(folder, 'postgres'), signal: aborted.signal });
  told('postgres is ready');
  const portOf = await choosePorts();
  const places = { databaseUrl: postgres.url, folder, portOf };

  const controlPlanes = services.filter(({ kind }) => kind === 'controlPlane');
  for (const service of controlPlanes) start(service, places);
  await Promise.all(
    controlPlanes.map(async ({ name, ports }) => {
      const url = `http://127.0.0.1:${portOf(name, ports[0]?.container)}`;
      const { service } = running.find((entry) => entry.name === name);
      await waitUntilReady({ url, service, logFile: logOf(name), timeoutMs: 120_000, signal: aborted.signal });
      service.keepAlive();
      told(`${name} is ready at ${url}`);
    }),
  );
  for (const service of services.filter(({ kind }) => kind === 'agent')) {
    start(service, places).keepAlive();
    told(`${service.name} is started`);
  }
  const admin = controlPlanes[0];
  const { MUSTER_BOOTSTRAP_ADMIN_KEY_FILE: keyFile } = processEnvironment(admin, services, places);
  console.log(
    `\nAdmin key: ${keyFile}\nLogs:      ${join(folder, 'logs')}\nTry:       MUSTER_URL=http://127.0.0.1:${portOf(admin.name, admin.ports[0].container)} MUSTER_KEY=$(cat ${keyFile}) npx muster workers\nCtrl-C stops everything.`,
  );
}

/** Published ports where they are free, any free ones otherwise; chosen once, so that every service agrees. */
async function choosePorts() {
  const chosen = new Map();
  for (const { name, ports } of services) {
    for (const { host, container } of ports) {
      let port = await nextFreePort(host);
      while ([...chosen.values()].includes(port)) port = await anyFreePort();
      chosen.set(`${name}:${container}`, port);
    }
  }
  return (name, container) => chosen.get(`${name}:${container}`);
}

function start({ name, kind, program, ...facts }, places) {
  const environment = processEnvironment({ name, ...facts }, services, places);
  for (const { volume } of facts.volumes) mkdirSync(join(folder, 'volumes', volume), { recursive: true, mode: 0o700 });
  const inherited = Object.entries(process.env).filter(([key]) => !key.startsWith('MUSTER_') && key !== 'DATABASE_URL');
  const service = new Service({
    name,
    program: join(ROOT, program),
    env: { ...Object.fromEntries(inherited), ...environment },
    cwd: folder,
    logFile: logOf(name),
    identityFile: identityFileOf(join(folder, 'running'), name),
    mayEnd: kind === 'agent',
    onNotice: (message) => console.log(message),
    onGiveUp: (error) => {
      console.error(error.message);
      shutdown.request('a service does not run');
    },
  });
  running.push({ name, kind, service });
  service.start();
  return service;
}

function logOf(name) {
  return join(folder, 'logs', `${name}.log`);
}

/** Agents give their jobs back first, then the control planes, then PostgreSQL. */
async function stopAll() {
  console.log('\nStopping …');
  aborted.abort(new Error('stopped'));
  for (const { service } of running) service.expectEnd();
  await endKind('agent', (service) => service.send({ kind: 'stop', graceSeconds: 10 }), 30_000);
  await endKind('controlPlane', (service) => service.signal('SIGTERM'), 15_000);
  await postgres?.stop();
  console.log('Everything has ended.');
}

async function endKind(kind, ask, timeoutMs) {
  await Promise.all(
    running
      .filter((entry) => entry.kind === kind)
      .map(async ({ service }) => {
        ask(service);
        if (await service.waitForEnd(timeoutMs)) return;
        service.signal('SIGKILL');
        await service.waitForEnd(10_000);
      }),
  );
}
