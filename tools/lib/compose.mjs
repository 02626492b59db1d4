// Pure: what docker-compose.yml asks for, as processes on one machine.
import { join } from 'node:path';
import { parse } from 'yaml';

const PROGRAMS = {
  'apps/control-plane/Dockerfile': { kind: 'controlPlane', program: 'apps/control-plane/dist/bundle/main.mjs' },
  'apps/agent/Dockerfile': { kind: 'agent', program: 'apps/agent/dist/bundle/main.mjs' },
};

/** Services in the order of the file, with `${NAME:-default}` filled in. */
export function readCompose(text, env) {
  const filled = text.replace(/\$\{(\w+)(?::-([^}]*))?\}/g, (_, name, fallback) => env[name] || fallback || '');
  const { services } = parse(filled, { merge: true });
  return Object.entries(services).map(([name, service]) => ({ name, ...kindOf(name, service), ...factsOf(service) }));
}

function kindOf(name, { image, build }) {
  if (build) {
    const known = PROGRAMS[build.dockerfile];
    if (!known)
      throw new Error(`docker-compose.yml: service ${name} is built from ${build.dockerfile}, which is none of ours.`);
    return known;
  }
  if (image?.startsWith('postgres:')) return { kind: 'postgres' };
  throw new Error(`docker-compose.yml: service ${name} has the image ${image}, which cannot run as a process here.`);
}

function factsOf({ environment = {}, ports = [], volumes = [], depends_on: dependsOn = {} }) {
  return {
    environment: Object.fromEntries(Object.entries(environment).map(([key, value]) => [key, String(value)])),
    ports: ports.map(toPort),
    volumes: volumes.map(toVolume),
    dependsOn: Object.keys(dependsOn),
  };
}

/** `127.0.0.1:6879:6878` publishes the container's 6878 on our 6879. */
function toPort(text) {
  const parts = String(text).split(':');
  return { host: Number(parts.at(-2) ?? parts.at(-1)), container: Number(parts.at(-1)) };
}

function toVolume(text) {
  const [volume, path] = text.split(':');
  return { volume, path };
}

/**
 * The environment of one service's process: names of other services become loopback addresses, container paths become
 * folders of ours, and what listens everywhere in its container listens on loopback.
 *
 * @param places `{ databaseUrl, folder, portOf(service, containerPort) }`
 */
export function processEnvironment(service, services, places) {
  const environment = Object.entries(service.environment).map(([name, value]) => [
    name,
    toLocal(value, service, services, places),
  ]);
  const own = service.ports[0] ? { MUSTER_PORT: String(places.portOf(service.name, service.ports[0].container)) } : {};
  const host = service.environment.MUSTER_HOST ? { MUSTER_HOST: '127.0.0.1' } : {};
  return { ...Object.fromEntries(environment), ...own, ...host };
}

function toLocal(value, service, services, { databaseUrl, folder, portOf }) {
  const mount = service.volumes.find(({ path }) => value === path || value.startsWith(`${path}/`));
  if (mount) return join(folder, 'volumes', mount.volume, value.slice(mount.path.length));
  if (!URL.canParse(value)) return value;
  const url = new URL(value);
  const target = services.find(({ name }) => name === url.hostname);
  if (!target) return value;
  if (target.kind === 'postgres') return databaseUrl;
  return `${url.protocol}//127.0.0.1:${portOf(target.name, Number(url.port))}`;
}
