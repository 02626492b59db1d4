export { FakeControlPlane, type FakeControlPlaneOptions, type Faults } from './fake-control-plane.js';
export { FakeLogStore } from './fake-log-store.js';
export { eventually, type EventuallyOptions } from './eventually.js';
export { FakeAgent, anEnd, anInventory, type FakeAgentOptions, type HandshakeRefused } from './fake-agent.js';
export { freshDatabase, type FreshDatabase, type FreshDatabaseOptions } from './postgres.js';
export type { RecordedStep } from './simulation/recorder.js';
export { recordSchedule, type Recording } from './simulation/recording.js';
export type { Profile } from './simulation/settings.js';
