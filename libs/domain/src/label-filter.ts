/** Which workers by their labels: `driver>=550,zone=lab,spot`. Every part must hold; a name alone asks for any value. */
import { LIMITS } from '@muster/protocol';
import { parseLabelExpression, satisfiesLabel, type LabelExpression } from './label-expression.js';

/** One part of a filter; without an expression any value will do. */
export interface LabelCondition {
  readonly name: string;
  readonly expression: LabelExpression | null;
}

export type ParsedLabelFilter =
  | { readonly ok: true; readonly conditions: readonly LabelCondition[] }
  /** `at`: index in the whole text of the character that is wrong, counted from 0. */
  | { readonly ok: false; readonly at: number; readonly message: string };

const NAME = /^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}/;

export function parseLabelFilter(text: string): ParsedLabelFilter {
  const parts = text.split(',');
  if (parts.length > LIMITS.labelsMax) return { ok: false, at: 0, message: `at most ${LIMITS.labelsMax} conditions are taken` };
  const conditions: LabelCondition[] = [];
  let at = 0;
  for (const part of parts) {
    const parsed = parseCondition(part);
    if (!parsed.ok) return { ...parsed, at: at + parsed.at };
    conditions.push(parsed.condition);
    at += part.length + 1;
  }
  return { ok: true, conditions };
}

type ParsedCondition = { readonly ok: true; readonly condition: LabelCondition } | Extract<ParsedLabelFilter, { ok: false }>;

function parseCondition(part: string): ParsedCondition {
  const indent = part.length - part.trimStart().length;
  const name = NAME.exec(part.slice(indent))?.[0];
  if (name === undefined) return { ok: false, at: indent, message: 'expected the name of a label' };
  const afterName = indent + name.length;
  const rest = part.slice(afterName);
  const gap = rest.length - rest.trimStart().length;
  const operation = rest.trim();
  if (operation === '') return { ok: true, condition: { name, expression: null } };
  if (!/^[!=<>]/.test(operation)) {
    return { ok: false, at: afterName + gap, message: `after "${name}" comes one of = != > >= < <=, a comma, or nothing` };
  }
  const parsed = parseLabelExpression(operation);
  return parsed.ok ? { ok: true, condition: { name, expression: parsed.expression } } : { ...parsed, at: afterName + gap + parsed.at };
}

export function satisfiesLabels(conditions: readonly LabelCondition[], labels: Readonly<Record<string, string>>): boolean {
  return conditions.every(({ name, expression }) => {
    const actual = Object.hasOwn(labels, name) ? labels[name] : undefined;
    return expression === null ? actual !== undefined : satisfiesLabel(expression, actual);
  });
}
