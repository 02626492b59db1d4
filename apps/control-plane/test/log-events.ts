import { request as httpRequest } from 'node:http';
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { LogFollowEvent } from '@muster/protocol';
import { eventually } from '@muster/testing';

export interface ReceivedEvent {
  readonly id: string | undefined;
  readonly event: LogFollowEvent;
}

/** A reader of server-sent events over one connection. */
export class LogEventReader {
  readonly received: ReceivedEvent[] = [];
  isClosed = false;
  private unread = '';

  private constructor(
    private readonly request: ClientRequest,
    readonly response: IncomingMessage,
  ) {
    response.setEncoding('utf8');
    response.on('data', (text: string) => this.take(text));
    response.on('close', () => (this.isClosed = true));
  }

  static open(rest: { readonly url: string; readonly key?: string }, jobId: string, query = '', lastEventId?: string): Promise<LogEventReader> {
    return new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${rest.key}`, ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }) };
      const request = httpRequest(`${rest.url}/api/v1/jobs/${jobId}/logs?follow=true${query}`, { headers, agent: false });
      request.once('response', (response) => resolve(new LogEventReader(request, response)));
      request.once('error', reject);
      request.end();
    });
  }

  close(): void {
    this.request.destroy();
  }

  get bytes(): Buffer {
    return Buffer.concat(this.received.map(({ event }) => Buffer.from(event.type === 'log' ? event.base64 : '', 'base64')));
  }

  get text(): string {
    return this.bytes.toString();
  }

  get lastId(): string | undefined {
    return this.received.findLast(({ id }) => id !== undefined)?.id;
  }

  of<T extends LogFollowEvent['type']>(type: T): Extract<LogFollowEvent, { type: T }>[] {
    return this.received.flatMap(({ event }) => (event.type === type ? [event as Extract<LogFollowEvent, { type: T }>] : []));
  }

  ended(): Promise<unknown> {
    return eventually('the log ends', () => this.isClosed);
  }

  private take(text: string): void {
    const parts = (this.unread + text).split('\n\n');
    this.unread = parts.pop() ?? '';
    for (const part of parts) {
      const field = (name: string): string | undefined => part.split('\n').find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
      const data = field('data');
      if (data !== undefined) this.received.push({ id: field('id'), event: JSON.parse(data) as LogFollowEvent });
    }
  }
}
