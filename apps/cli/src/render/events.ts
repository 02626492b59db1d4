import type { EventView } from '@muster/protocol';
import type { Colours } from '../output.js';
import { table } from './table.js';
import { duration, plain, shorten } from './text.js';

const EVENTS_SHOWN = 20;
const DETAIL_WIDTH = 100;
const DETAIL_WIDTH_MIN = 16;

/** What happened, the newest last; details are cut so that lines fit `columns`. */
export function renderEvents(events: readonly EventView[], nowMs: number, columns: number, colours: Colours): string {
  const shown = events.slice(-EVENTS_SHOWN);
  const isAll = shown.length === events.length;
  const title = `${colours.bold('What happened')}${isAll ? '' : ` (the last ${shown.length} of ${events.length})`}`;
  const cells = shown.map((event) => eventCells(event, nowMs));
  const taken = [0, 1, 2].reduce((sum, column) => sum + Math.max(5, ...cells.map((row) => (row[column] ?? '').length)) + 2, 0);
  const detailWidth = Math.min(DETAIL_WIDTH, Math.max(DETAIL_WIDTH_MIN, columns - taken));
  const rows = cells.map((row) => row.with(3, shorten(row[3] ?? '', detailWidth)));
  return `${title}\n${table(['WHEN', 'EVENT', 'BY', 'DETAIL'], rows)}`;
}

function eventCells(event: EventView, nowMs: number): string[] {
  // What is null was not said.
  const said = Object.entries(event.data).filter(([, value]) => value !== null);
  const detail = said.map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return [
    `${duration(nowMs - Date.parse(event.at))} ago`,
    event.type,
    plain(event.actor),
    plain(detail.join(' ')),
  ];
}
