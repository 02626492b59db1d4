import type { EventView } from '@muster/protocol';
import type { Colours } from '../output.js';
import { table } from './table.js';
import { duration, plain, shorten } from './text.js';

const EVENTS_SHOWN = 20;

/** What happened, the newest last. */
export function renderEvents(events: readonly EventView[], nowMs: number, colours: Colours): string {
  const shown = events.slice(-EVENTS_SHOWN);
  const isAll = shown.length === events.length;
  const title = `${colours.bold('What happened')}${isAll ? '' : ` (the last ${shown.length} of ${events.length})`}`;
  const rows = shown.map((event) => eventCells(event, nowMs));
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
    shorten(plain(detail.join(' ')), 100),
  ];
}
