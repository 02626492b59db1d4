import { cgroupBases } from './probe.js';

const mounts = 'proc /proc proc rw 0 0\ncgroup /sys/fs/cgroup/cpu cgroup rw,cpu 0 0\n';

describe('the places for control groups', () => {
  const table: [string, string, string, string[]][] = [
    ['nowhere without version 2', mounts, '1:cpu:/\n', []],
    [
      'at the top of a hybrid hierarchy',
      `${mounts}cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n`,
      '1:cpu:/\n0::/\n',
      ['/sys/fs/cgroup/unified'],
    ],
    [
      'below its own group first',
      'cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n',
      '0::/system.slice/muster.service\n',
      ['/sys/fs/cgroup/system.slice/muster.service', '/sys/fs/cgroup'],
    ],
    [
      'at the top when its own group is outside',
      'cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n',
      '0::/../..\n',
      ['/sys/fs/cgroup'],
    ],
  ];
  it.each(table)('are %s', (_where, mountTable, ownGroups, bases) => {
    expect(cgroupBases(mountTable, ownGroups)).toEqual(bases);
  });
});
