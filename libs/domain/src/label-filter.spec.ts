import { parseLabelFilter, satisfiesLabels } from './label-filter.js';

function holds(filter: string, labels: Record<string, string>): boolean {
  const parsed = parseLabelFilter(filter);
  if (!parsed.ok) throw new Error(parsed.message);
  return satisfiesLabels(parsed.conditions, labels);
}

describe('a filter by labels', () => {
  test.each([
    ['driver>=550', { driver: '550.54.15' }, true],
    ['driver>=550', { driver: '99' }, false],
    ['driver >= 550 , zone = lab', { driver: '560', zone: 'lab' }, true],
    ['driver>=550,zone=lab', { driver: '560', zone: 'yard' }, false],
    ['spot', { spot: '' }, true],
    ['spot', {}, false],
    ['zone!=lab', {}, true],
    ['toString', {}, false],
  ] as const)('%j of %j is %j', (filter, labels, expected) => {
    expect(holds(filter, labels)).toBe(expected);
  });

  test.each([
    ['', 0, 'expected the name of a label'],
    ['a=1,', 4, 'expected the name of a label'],
    ['zone=lab,driver>=', 17, 'after ">=" comes a value'],
    ['zone=lab, driver > x', 19, '">" compares numbers like 550 or 550.54'],
    ['zone:lab', 4, 'after "zone" comes one of = != > >= < <=, a comma, or nothing'],
    ['zone!lab', 5, 'after "!" comes "="'],
    ['=lab', 0, 'expected the name of a label'],
    ['(a=1)', 0, 'expected the name of a label'],
  ])('that is wrong, %j, points at character %i', (filter, at, message) => {
    expect(parseLabelFilter(filter)).toEqual({ ok: false, at, message });
  });

  it('has no more conditions than a worker has labels', () => {
    expect(parseLabelFilter(Array.from({ length: 65 }, (_, index) => `l${index}`).join(','))).toMatchObject({ ok: false });
  });
});
