export default {
  displayName: 'agent',
  preset: '../../jest.preset.js',
  // Some promises are about the agent as a process: it is built from these very sources first.
  globalSetup: './test/build.mjs',
};
