import { nearestName } from './nearest-name.js';

const names = ['MUSTER_AGENT_SLOTS', 'MUSTER_AGENT_NAME', 'MUSTER_WORKER_TIMEOUT', 'MUSTER_PORT'];

describe('the nearest name', () => {
  it.each([
    ['MUSTER_AGENT_SLOT', 'MUSTER_AGENT_SLOTS'],
    ['MUSTER_AGENT_SLOST', 'MUSTER_AGENT_SLOTS'],
    ['MUSTER_AGNET_NAME', 'MUSTER_AGENT_NAME'],
    ['MUSTER_PROT', 'MUSTER_PORT'],
  ])('to %s is %s', (typed, meant) => {
    expect(nearestName(typed, names)).toBe(meant);
  });

  it('is nothing when nothing is near', () => {
    expect(nearestName('MUSTER_COLOUR_OF_THE_SKY', names)).toBeUndefined();
  });
});
