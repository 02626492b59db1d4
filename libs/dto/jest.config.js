export default { displayName: 'dto', preset: '../../jest.preset.js' };
