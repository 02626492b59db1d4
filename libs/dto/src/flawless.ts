/**
 * Whether there is nothing to complain of, by the very rules that class-validator knows of a class. It collects them anew
 * for each object and prepares a complaint for each field; here they are collected once. Whoever does not pass is left to
 * class-validator, which says why: this file says no to everything it does not know.
 */
import { getMetadataStorage, ValidationTypes } from 'class-validator';
import type { ValidationArguments } from 'class-validator';

type Known = ReturnType<ReturnType<typeof getMetadataStorage>['getTargetValidationMetadatas']>[number];
type Rule = (value: unknown, found: ValidationArguments) => boolean;

interface FieldRules {
  /** Each must hold, or the field is not looked at. */
  readonly conditions: ((object: object, value: unknown) => boolean)[];
  readonly rules: Rule[];
  isNested: boolean;
}

const rulesOf = new WeakMap<object, ReadonlyMap<string, FieldRules> | null>();

/** @param value an instance of a class with decorated fields */
export function isFlawless(value: object): boolean {
  const kind: unknown = Object.getPrototypeOf(value)?.constructor;
  if (typeof kind !== 'function') return false;
  const fields = rulesFor(kind);
  if (fields === null) return false;
  const given = new Map(Object.entries(value));
  for (const name of given.keys()) if (!fields.has(name)) return false;
  for (const [name, field] of fields) if (!holds(field, value, name, given.get(name), kind)) return false;
  return true;
}

function holds({ conditions, rules, isNested }: FieldRules, object: object, property: string, value: unknown, kind: { readonly name: string }): boolean {
  if (!conditions.every((isAsked) => isAsked(object, value))) return true;
  const found = { targetName: kind.name, property, object, value, constraints: [] };
  if (!rules.every((rule) => rule(value, found))) return false;
  return !isNested || value === undefined || (Array.isArray(value) ? value.every(isFlawlessObject) : isFlawlessObject(value));
}

function isFlawlessObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && isFlawless(value);
}

function rulesFor(kind: { readonly name: string } & object): ReadonlyMap<string, FieldRules> | null {
  const known = rulesOf.get(kind);
  if (known !== undefined) return known;
  const collected = collect(kind);
  rulesOf.set(kind, collected);
  return collected;
}

/** Null where something stands there that is not understood here, or nothing at all. */
function collect(kind: object): ReadonlyMap<string, FieldRules> | null {
  if (typeof kind !== 'function') return null;
  const fields = new Map<string, FieldRules>();
  for (const one of getMetadataStorage().getTargetValidationMetadatas(kind, '', false, false)) {
    const field = fields.get(one.propertyName) ?? { conditions: [], rules: [], isNested: false };
    fields.set(one.propertyName, field);
    if (!add(field, one)) return null;
  }
  return fields.size === 0 ? null : fields;
}

function add(field: FieldRules, one: Known): boolean {
  const { groups }: { readonly groups?: readonly string[] } = one;
  if (one.validateIf !== undefined || (groups !== undefined && groups.length > 0)) return false;
  if (one.type === ValidationTypes.NESTED_VALIDATION) field.isNested = true;
  else if (one.type === ValidationTypes.CONDITIONAL_VALIDATION) field.conditions.push(one.constraints[0]);
  else return one.type === ValidationTypes.CUSTOM_VALIDATION && !one.each && addRules(field, one);
  return true;
}

function addRules(field: FieldRules, one: Known): boolean {
  const constraints = getMetadataStorage().getTargetValidatorConstraints(one.constraintCls);
  for (const { async, instance } of constraints) {
    if (async) return false;
    field.rules.push((value, found) => instance.validate(value, { ...found, constraints: one.constraints }) === true);
  }
  return constraints.length > 0;
}
