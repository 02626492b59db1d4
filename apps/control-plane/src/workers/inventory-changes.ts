import { isDeepStrictEqual } from 'node:util';

/** What a machine said of itself before and now, of every field that differs. */
export interface InventoryChanges {
  /** Names of the fields, in the order in which it tells them. */
  readonly changed: readonly string[];
  readonly values: Readonly<Record<string, { readonly before: unknown; readonly now: unknown }>>;
  // An event's data has any fields.
  readonly [field: string]: unknown;
}

/** Characters of JSON that one value may take in an event; both of every field together stay below 64 KiB. */
const VALUE_MAX = 1_000;

export function changesBetween(before: object, now: object): InventoryChanges {
  const [old, fresh] = [before, now].map((fields) => new Map<string, unknown>(Object.entries(fields))) as [Map<string, unknown>, Map<string, unknown>];
  const names = [...new Set([...fresh.keys(), ...old.keys()])];
  const changed = names.filter((name) => !isDeepStrictEqual(toJson(fresh.get(name)), toJson(old.get(name))));
  return {
    changed,
    values: Object.fromEntries(changed.map((name) => [name, { before: toShort(old.get(name)), now: toShort(fresh.get(name)) }])),
  };
}

/** As the database gives it back: fields without a value are no fields. */
function toJson(value: unknown): unknown {
  return value === undefined ? null : (JSON.parse(JSON.stringify(value)) as unknown);
}

function toShort(value: unknown): unknown {
  const text = JSON.stringify(value ?? null);
  return text.length <= VALUE_MAX ? (value ?? null) : `${text.slice(0, VALUE_MAX)}… (${text.length} characters)`;
}
