import { parseLabelExpression, satisfiesLabel } from './label-expression.js';

function satisfies(text: string, actual: string | undefined): boolean {
  const parsed = parseLabelExpression(text);
  if (!parsed.ok) throw new Error(parsed.message);
  return satisfiesLabel(parsed.expression, actual);
}

describe('label expressions', () => {
  test.each([
    ['lab', 'lab', true],
    ['lab', 'Lab', false],
    ['=lab', 'lab', true],
    ['!=old', 'new', true],
    ['!=old', 'old', false],
    ['!=old', undefined, true],
    ['lab', undefined, false],
    ['>=550', '550', true],
    ['>=550', '550.54.15', true],
    ['>=550', '99', false],
    ['>550.9', '550.54.15', true],
    ['>=0.5', '0.25', false],
    ['>=0.5', '0.50', true],
    ['<550', '549.1', true],
    ['<=550', '550.0', true],
    ['>= 550', '600', true],
    ['>=550', 'new', false],
    ['>=550', undefined, false],
    ['', '', true],
  ] as const)('%j against %j is %j', (text, actual, expected) => {
    expect(satisfies(text, actual)).toBe(expected);
  });

  test.each([
    ['>=', 2, 'after ">=" comes a value'],
    ['>= ', 3, 'after ">=" comes a value'],
    ['!old', 1, 'after "!" comes "="'],
    ['>=>5', 2, '">" is not a value'],
    ['>=5x0', 3, '">=" compares numbers like 550 or 550.54'],
    ['< new', 2, '"<" compares numbers like 550 or 550.54'],
    ['>5.', 2, '">" compares numbers like 550 or 550.54'],
  ])('a complaint about %j points at character %i', (text, at, message) => {
    expect(parseLabelExpression(text)).toEqual({ ok: false, at, message });
  });
});
