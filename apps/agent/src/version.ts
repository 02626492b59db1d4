/** As in package.json; written here because the agent also runs as one file with nothing beside it. */
export const AGENT_VERSION = '0.1.0';
