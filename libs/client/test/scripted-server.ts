import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Timing } from '../src/timing.js';

export interface Call {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface ScriptedServer {
  readonly url: string;
  /** What was asked, in order. */
  readonly calls: readonly Call[];
  close(): Promise<void>;
}

export type Answer = (call: Call, response: ServerResponse) => void;

/** A real HTTP server that answers by a script: the nth answer to the nth request, the last one to all that follow. */
export async function startScriptedServer(...answers: readonly Answer[]): Promise<ScriptedServer> {
  const calls: Call[] = [];
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const call: Call = {
        method: request.method ?? '',
        url: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(pieces).toString(),
      };
      calls.push(call);
      answers[Math.min(calls.length, answers.length) - 1]?.(call, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export function json(value: unknown, status = 200, headers: Record<string, string> = {}): Answer {
  return (_call, response) => {
    const type = status < 400 ? 'application/json' : 'application/problem+json';
    response.writeHead(status, { 'content-type': type, ...headers }).end(JSON.stringify(value));
  };
}

/** Breaks the connection without an answer. */
export const hangUp: Answer = (_call, response) => {
  response.destroy();
};

export interface SentEvent {
  readonly id?: string;
  readonly data: unknown;
}

/** Sends these events, then breaks the connection, or ends it, or keeps it open. */
export function events(sent: readonly SentEvent[], then: 'break' | 'end' | 'stay'): Answer {
  return (_call, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const text = sent
      .map(({ id, data }) => `${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`)
      .join('');
    response.write(text, () => {
      if (then === 'break') response.destroy();
      if (then === 'end') response.end();
    });
  };
}

/** Time that passes at once, and chance that always says the same. */
export function instantTiming(): Timing & { readonly pausesMs: number[] } {
  const pausesMs: number[] = [];
  let nowMs = 0;
  return {
    pausesMs,
    nowMs: () => nowMs,
    random: () => 0.5,
    sleep: async (ms, signal) => {
      signal?.throwIfAborted();
      pausesMs.push(ms);
      nowMs += ms;
    },
  };
}
