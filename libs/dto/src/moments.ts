const FORM = /^(\d{4})-(\d{2})-(\d{2})T([01]\d|2[0-3]):\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/;
/** The years that every part of Muster can write with four digits, PostgreSQL too. */
const ISO = /^(?!0000)\d{4}-/;

/**
 * The moment that a text names, in UTC and in milliseconds, or undefined when it names none. RFC 3339 with a zone: a
 * moment without one would mean another time on another machine. A day that the calendar does not have is none.
 */
export function toMoment(value: unknown): string | undefined {
  const [, year, month, day] = (typeof value === 'string' ? FORM.exec(value) : null) ?? [];
  if (year === undefined) return undefined;
  const date = new Date(`${year}-${month}-${day}T00:00:00Z`);
  const moment = new Date(String(value));
  if (Number.isNaN(moment.getTime()) || date.getUTCDate() !== Number(day)) return undefined;
  const iso = moment.toISOString();
  return ISO.test(iso) ? iso : undefined;
}

export function isMoment(value: unknown): boolean {
  return toMoment(value) !== undefined;
}
