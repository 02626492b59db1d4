import { parseDisks, parseInterfaces, rateOf, readTraffic } from './traffic.js';

const INTERFACES = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 9000       9    0    0    0     0          0         0     9000       9    0    0    0     0       0          0
  eth0: 1000      10    0    0    0     0          0         0      300       5    0    0    0     0       0          0
enp3s0:500 5 0 0 0 0 0 0 200 2 0 0 0 0 0 0
docker0: 7000      7    0    0    0     0          0         0     7000       7    0    0    0     0       0          0
veth12ab: 7000     7    0    0    0     0          0         0     7000       7    0    0    0     0       0          0
`;
const DISKS = `   8       0 sda 100 0 2000 10 50 0 1000 20 0 30 30 0 0 0 0
   8       1 sda1 100 0 2000 10 50 0 1000 20 0 30 30
 259       0 nvme0n1 1 0 8 1 1 0 16 1 0 1 1 0 0 0 0 1 2
   7       0 loop0 5 0 900 1 0 0 0 0 0 1 1
 253       0 dm-0 100 0 2000 10 50 0 1000 20 0 30 30
`;

describe('traffic', () => {
  it('counts the network without what stays on this machine', () => {
    expect(parseInterfaces(INTERFACES)).toEqual({ networkReceivedBytes: 1_500, networkSentBytes: 500 });
  });

  it('counts each disk once, without its parts and without what is made of it', () => {
    const whole = new Set(['sda', 'nvme0n1', 'loop0', 'dm-0']);
    expect(parseDisks(DISKS, whole)).toEqual({ diskReadBytes: 2_008 * 512, diskWrittenBytes: 1_016 * 512 });
  });

  it('is unknown where nobody counts it', () => {
    expect(parseInterfaces('')).toEqual({ networkReceivedBytes: null, networkSentBytes: null });
    expect(parseDisks(DISKS, new Set())).toEqual({ diskReadBytes: null, diskWrittenBytes: null });
  });

  it('is a rate between two looks, unknown when a counter was reset or no time went by', () => {
    const before = { networkReceivedBytes: 100, networkSentBytes: 100, diskReadBytes: null, diskWrittenBytes: 10 };
    const now = { networkReceivedBytes: 1_100, networkSentBytes: 50, diskReadBytes: 5, diskWrittenBytes: 10 };
    expect(rateOf(before, now, 2)).toEqual({
      networkReceivedBytesPerSecond: 500,
      networkSentBytesPerSecond: null,
      diskReadBytesPerSecond: null,
      diskWrittenBytesPerSecond: 0,
    });
    expect(rateOf(before, now, 0).networkReceivedBytesPerSecond).toBeNull();
  });

  it('is read without harm on any machine', async () => {
    const traffic = await readTraffic();
    for (const value of Object.values(traffic)) expect(value === null || value >= 0).toBe(true);
  });
});
