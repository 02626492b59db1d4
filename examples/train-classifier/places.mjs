import { readFileSync } from 'node:fs';
import path from 'node:path';
import { createRandom, shuffle } from './random.mjs';

/** Regions with fewer places than this cannot be split into three parts that mean anything. */
const LEAST_PLACES = 10;

/** The split never changes, so that runs with different seeds are judged on the same places. */
const SPLIT_SEED = 1986;

const DEGREE = Math.PI / 180;

/**
 * An ISO 6709 angle such as `+4230` or `-1172842` (degrees, minutes, perhaps seconds) in degrees.
 * Latitudes have two digits of degrees, longitudes three.
 */
function toDegrees(text, degreeDigits) {
  const sign = text[0] === '-' ? -1 : 1;
  const digits = text.slice(1);
  const degrees = Number(digits.slice(0, degreeDigits));
  const minutes = Number(digits.slice(degreeDigits, degreeDigits + 2));
  const seconds = Number(digits.slice(degreeDigits + 2) || 0);
  return sign * (degrees + minutes / 60 + seconds / 3600);
}

/** A point on the globe as a unit vector: no edge at the date line, no crowding at the poles. */
function toVector(latitude, longitude) {
  const [phi, lambda] = [latitude * DEGREE, longitude * DEGREE];
  return [Math.cos(phi) * Math.cos(lambda), Math.cos(phi) * Math.sin(lambda), Math.sin(phi)];
}

/** One row of the table: `CH<tab>+4723+00832<tab>Europe/Zurich<tab>comments`. */
function parseRow(line, number) {
  const [, coordinates, zone] = line.split('\t');
  const match = /^([+-]\d{4}(?:\d{2})?)([+-]\d{5}(?:\d{2})?)$/.exec(coordinates ?? '');
  if (!match || !zone?.includes('/')) throw new Error(`Line ${number} of the table is not a place: "${line}".`);
  return { region: zone.slice(0, zone.indexOf('/')), input: toVector(toDegrees(match[1], 2), toDegrees(match[2], 3)) };
}

/**
 * The places of the tz database and the regions they are filed under.
 *
 * @returns {{ regions: string[], rows: { label: number, input: number[] }[], leftOut: number }}
 *   `label` is an index into `regions`; `leftOut` counts places of regions too small to learn.
 */
export function loadPlaces(file = path.join(import.meta.dirname, 'data', 'zone.tab')) {
  const places = readFileSync(file, 'utf8')
    .split('\n')
    .map((line, index) => ({ line, number: index + 1 }))
    .filter(({ line }) => line !== '' && !line.startsWith('#'))
    .map(({ line, number }) => parseRow(line, number));
  const counts = new Map();
  for (const { region } of places) counts.set(region, (counts.get(region) ?? 0) + 1);
  const regions = [...counts.keys()].filter((region) => counts.get(region) >= LEAST_PLACES).sort();
  const rows = places
    .filter((place) => regions.includes(place.region))
    .map(({ region, input }) => ({ label: regions.indexOf(region), input }));
  return { regions, rows, leftOut: places.length - rows.length };
}

/**
 * Seven tenths to learn from, and the rest in two halves: one to watch while learning, one held out for the result.
 * Every region is split in the same proportion.
 */
export function splitPlaces({ regions, rows }) {
  const random = createRandom(SPLIT_SEED);
  const parts = { training: [], validation: [], heldOut: [] };
  regions.forEach((_, label) => {
    const members = shuffle(
      rows.filter((row) => row.label === label),
      random,
    );
    const [first, second] = [Math.round(members.length * 0.7), Math.round(members.length * 0.85)];
    parts.training.push(...members.slice(0, first));
    parts.validation.push(...members.slice(first, second));
    parts.heldOut.push(...members.slice(second));
  });
  return parts;
}

/** The share of the commonest label: what one reaches by always guessing the same. */
export function majorityShare(rows) {
  const counts = new Map();
  for (const { label } of rows) counts.set(label, (counts.get(label) ?? 0) + 1);
  return Math.max(...counts.values()) / rows.length;
}
