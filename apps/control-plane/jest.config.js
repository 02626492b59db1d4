export default {
  displayName: 'control-plane',
  preset: '../../jest.preset.js',
  // Real databases and sockets on a machine that others use too. A test that waits for nothing is not slowed down by it.
  testTimeout: 60_000,
};
