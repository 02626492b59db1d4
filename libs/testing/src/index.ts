export { FakeControlPlane, type FakeControlPlaneOptions, type Faults } from './fake-control-plane.js';
export { FakeLogStore } from './fake-log-store.js';
