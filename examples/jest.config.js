// The programs really train; on a busy machine that takes a while.
export default { displayName: 'examples', preset: '../jest.preset.js', testTimeout: 120_000 };
