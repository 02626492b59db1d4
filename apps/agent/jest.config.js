export default { displayName: 'agent', preset: '../../jest.preset.js' };
