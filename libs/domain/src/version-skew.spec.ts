import { versionSkew } from './version-skew.js';

describe('the version of an agent', () => {
  test.each([
    ['1.2.3', '1.2.3', 'same'],
    ['v1.2.3', '1.2.3+build.7', 'same'],
    ['1.2.3', '1.10.0', 'older'],
    ['2.0.0', '1.99.99', 'newer'],
    ['1.2.3-beta.2', '1.2.3', 'older'],
    ['1.2.3-beta.10', '1.2.3-beta.9', 'newer'],
    ['1.2.3-beta', '1.2.3-beta.1', 'older'],
    ['1.2.3-1', '1.2.3-alpha', 'older'],
    ['1.2.3-rc', '1.2.3-alpha', 'newer'],
    ['', '1.2.3', 'unknown'],
    ['1.2', '1.2.3', 'unknown'],
    ['finetune-worker 4', '1.2.3', 'unknown'],
    ['1.2.3', 'main', 'unknown'],
  ])('%j is, for a control plane of %j, %s', (agent, controlPlane, expected) => {
    expect(versionSkew(agent, controlPlane)).toBe(expected);
  });
});
