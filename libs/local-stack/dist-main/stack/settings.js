import { resolve } from 'node:path';
import { address, integer, loadConfig, readEnvironment, text } from '@muster/runtime';
/** What the launcher itself reads; everything else is handed on to the services, which read it themselves. */
export const STACK_SCHEMA = {
    dataDir: text('MUSTER_DATA_DIR', {
        about: "Where everything is kept; for root /var/lib/muster, otherwise the platform's folder for a user's data, unless set.",
        optional: true,
    }),
    host: text('MUSTER_HOST', { about: 'Address the control plane listens on.', default: '127.0.0.1' }),
    port: integer('MUSTER_PORT', {
        about: 'Port of the control plane; the next free one when it is taken.',
        default: 6878,
        min: 0,
        max: 65_535,
    }),
    postgresPort: integer('MUSTER_POSTGRES_PORT', {
        about: 'Port of the embedded PostgreSQL on loopback; any free one unless set.',
        optional: true,
        min: 1,
        max: 65_535,
    }),
    databaseUrl: address('DATABASE_URL', {
        about: 'An own PostgreSQL server instead of the embedded one.',
        optional: true,
        schemes: ['postgres:', 'postgresql:'],
    }),
};
/** @throws ConfigError with every complaint at once */
export function readSettings(options) {
    const env = readEnvironment(options);
    return { ...loadConfig(STACK_SCHEMA, { env, cwd: '/', warn: options.warn }), env };
}
/** Where people and the agent reach a control plane that listens on this host. */
export function urlFor(host, port) {
    const isEverywhere = host === '0.0.0.0' || host === '::' || host === '';
    const name = isEverywhere ? '127.0.0.1' : host;
    return `http://${name.includes(':') ? `[${name}]` : name}:${port}`;
}
export function controlPlaneEnvironment(settings, facts) {
    return {
        ...without(settings.env, PRIVATE_TO_PEOPLE, PRIVATE_TO_AGENTS),
        DATABASE_URL: facts.databaseUrl,
        MUSTER_HOST: settings.host,
        MUSTER_PORT: String(facts.port),
        MUSTER_DATA_DIR: facts.directory.root,
        MUSTER_BOOTSTRAP_ADMIN_KEY_FILE: facts.directory.adminKey,
        MUSTER_BOOTSTRAP_WORKER_KEY_FILE: facts.directory.workerKey,
    };
}
export function agentEnvironment(settings, facts) {
    const { MUSTER_AGENT_STATE_DIR: stateDir } = settings.env;
    return {
        ...without(settings.env, PRIVATE_TO_PEOPLE, PRIVATE_TO_THE_CONTROL_PLANE, ['MUSTER_AGENT_KEY'], AGENT_TOKEN),
        MUSTER_URL: facts.url,
        MUSTER_AGENT_KEY_FILE: facts.directory.workerKey,
        MUSTER_AGENT_STATE_DIR: stateDir ? resolve(stateDir) : facts.directory.agent,
    };
}
/** A service gets no secret that is not its own. */
const PRIVATE_TO_PEOPLE = ['MUSTER_KEY', 'MUSTER_KEY_FILE'];
const AGENT_TOKEN = ['MUSTER_AGENT_ENROLMENT_TOKEN', 'MUSTER_AGENT_ENROLMENT_TOKEN_FILE'];
const PRIVATE_TO_AGENTS = ['MUSTER_AGENT_KEY', 'MUSTER_AGENT_KEY_FILE', ...AGENT_TOKEN];
const PRIVATE_TO_THE_CONTROL_PLANE = ['DATABASE_URL', 'MUSTER_HOST', 'MUSTER_PORT'];
function without(env, ...lists) {
    const left = new Set(lists.flat());
    return Object.fromEntries(Object.entries(env).filter(([name]) => !left.has(name)));
}
//# sourceMappingURL=settings.js.map