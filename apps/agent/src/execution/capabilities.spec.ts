import { rungFor } from './capabilities.js';

describe('the rung of an execution', () => {
  it('is the default unless more is needed', () => {
    const all = ['cgroup', 'namespace', 'group'] as const;
    expect(rungFor({}, 'cgroup', all)).toBe('cgroup');
    expect(rungFor({ containment: 'group' }, 'cgroup', all)).toBe('cgroup');
    expect(rungFor({ containment: 'namespace' }, 'cgroup', all)).toBe('namespace');
    expect(rungFor({ containment: 'cgroup' }, 'group', ['namespace', 'group'])).toBe('namespace');
  });

  it('stays the one that is needed where the machine lacks it', () => {
    expect(rungFor({ containment: 'namespace' }, 'cgroup', ['cgroup', 'group'])).toBe('namespace');
  });
});
