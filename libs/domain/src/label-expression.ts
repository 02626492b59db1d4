/**
 * What a job may demand of a label's value: `lab`, `=lab`, `!=old`, `>=550`, `>1.2`, `<=8`, `<9`. Plain text is equality. Order
 * compares numbers (`0.25` < `0.5`) or, when one side has two dots or more, versions part by part (`550.54.15` > `550.9`).
 */
export type LabelOperator = '=' | '!=' | '>' | '>=' | '<' | '<=';

export interface LabelExpression {
  readonly operator: LabelOperator;
  readonly value: string;
}

export type ParsedLabelExpression =
  | { readonly ok: true; readonly expression: LabelExpression }
  /** `at`: index of the character that is wrong, counted from 0. */
  | { readonly ok: false; readonly at: number; readonly message: string };

const OPERATORS: readonly LabelOperator[] = ['!=', '>=', '<=', '>', '<', '='];
const NUMBERS = /^\d+(?:\.\d+)*$/;

export function parseLabelExpression(text: string): ParsedLabelExpression {
  const operator = OPERATORS.find((candidate) => text.startsWith(candidate));
  if (operator === undefined) {
    return text.startsWith('!') ? { ok: false, at: 1, message: 'after "!" comes "="' } : { ok: true, expression: { operator: '=', value: text } };
  }
  const rest = text.slice(operator.length);
  const value = rest.trim();
  const at = operator.length + rest.length - rest.trimStart().length;
  if (value === '') return { ok: false, at: text.length, message: `after "${operator}" comes a value` };
  const stray = OPERATORS.find((candidate) => value.startsWith(candidate));
  if (stray !== undefined) return { ok: false, at, message: `"${stray}" is not a value` };
  if (isOrder(operator) && !NUMBERS.test(value)) {
    return { ok: false, at: at + firstNotNumeric(value), message: `"${operator}" compares numbers like 550 or 550.54` };
  }
  return { ok: true, expression: { operator, value } };
}

/** @param actual the worker's value; undefined when it has no such label, which only `!=` accepts */
export function satisfiesLabel(expression: LabelExpression, actual: string | undefined): boolean {
  const { operator, value } = expression;
  if (operator === '=') return actual === value;
  if (operator === '!=') return actual !== value;
  if (actual === undefined || !NUMBERS.test(actual)) return false;
  const order = compareNumbers(actual, value);
  if (operator === '>') return order > 0;
  if (operator === '>=') return order >= 0;
  return operator === '<' ? order < 0 : order <= 0;
}

function isOrder(operator: LabelOperator): boolean {
  return operator !== '=' && operator !== '!=';
}

function compareNumbers(left: string, right: string): number {
  const [a, b] = [left.split('.').map(Number), right.split('.').map(Number)];
  if (a.length <= 2 && b.length <= 2) return Number(left) - Number(right);
  // Versions: a missing part counts as 0.
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function firstNotNumeric(value: string): number {
  for (let length = value.length; length > 0; length--) {
    if (NUMBERS.test(value.slice(0, length))) return length;
  }
  return 0;
}
