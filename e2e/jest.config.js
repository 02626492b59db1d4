// Real processes on a machine that may be busy: a test waits for conditions, and this is only the end of patience.
export default { displayName: 'e2e', preset: '../jest.preset.js', testTimeout: 240_000 };
