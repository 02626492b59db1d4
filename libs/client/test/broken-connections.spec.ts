import { createHash, randomBytes } from 'node:crypto';
import { Muster } from '../src/index.js';
import { instantTiming, startScriptedServer, type Answer } from './scripted-server.js';

const sha256 = (pieces: readonly Uint8Array[]): string =>
  pieces.reduce((hash, piece) => hash.update(piece), createHash('sha256')).digest('hex');

/** A generator of the same numbers for the same seed, so that a failure can be repeated. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Serves a log by the rules of the follow stream, and breaks each connection at some byte, also in the middle of an event. */
function breaking(log: Buffer, next: () => number): Answer {
  return (call, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const place = String(call.headers['last-event-id'] ?? 'att_1:output:0').split(':');
    // A control plane may begin earlier than asked: its pieces have their own bounds.
    let at = Math.max(0, Number(place[2]) - Math.floor(next() * 3_000));
    let text = 'retry: 1\n\n';
    while (at < log.length && text.length < 200_000) {
      const piece = log.subarray(at, at + 1 + Math.floor(next() * 20_000));
      const data = {
        type: 'log',
        attemptId: 'att_1',
        stream: 'output',
        offset: at,
        base64: piece.toString('base64'),
        readAt: 'x',
      };
      at += piece.length;
      text += `id: att_1:output:${at}\r\ndata: ${JSON.stringify(data)}\r\n\r\n`;
    }
    const isAll = at === log.length && next() < 0.5;
    if (isAll) text += 'data: {"type":"end","status":"completed","logState":"complete"}\n\n';
    const cut = isAll ? text.length : Math.floor(next() * text.length);
    response.write(text.slice(0, cut), () => (isAll ? response.end() : response.destroy()));
  };
}

describe('a log over connections that keep breaking', () => {
  it.each([1, 2, 3])('arrives whole, each byte once (seed %i)', async (seed) => {
    const log = randomBytes(1_000_000);
    const server = await startScriptedServer(breaking(log, random(seed)));
    try {
      const muster = new Muster({ url: server.url, timing: instantTiming(), retry: { triesMax: 1_000 } });
      const pieces: Uint8Array[] = [];
      for await (const event of muster.logs.follow('job_1')) if (event.type === 'log') pieces.push(event.bytes);
      expect(pieces.reduce((sum, piece) => sum + piece.length, 0)).toBe(log.length);
      expect(sha256(pieces)).toBe(sha256([log]));
      expect(server.calls.length).toBeGreaterThan(5);
    } finally {
      await server.close();
    }
  });
});
