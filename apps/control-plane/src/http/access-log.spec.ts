import { once } from 'node:events';
import { createServer, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createLogger } from '@muster/runtime';
import type { Request } from 'express';
import { logAccess } from './access-log.js';

/** Lines said about one GET of `/there?key=secret` on a server that answers with `answer`. */
async function linesAbout(level: 'debug' | 'info', answer: (response: ServerResponse) => void): Promise<unknown[]> {
  const lines: unknown[] = [];
  const log = createLogger({ name: 'test', level, format: 'json', sink: { write: (line) => lines.push(JSON.parse(line)) } });
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const asked = once(server, 'request') as Promise<[Request, ServerResponse]>;
  request({ host: '127.0.0.1', port, path: '/there?key=secret', agent: false }, (received) => received.resume().on('error', () => undefined))
    .on('error', () => undefined)
    .end();
  const [incoming, response] = await asked;
  logAccess(log, Object.assign(incoming, { originalUrl: incoming.url }), response);
  const isOver = new Promise<void>((resolve) => response.once('close', () => resolve()));
  answer(response);
  await isOver;
  server.closeAllConnections();
  server.close();
  return lines;
}

const of = (status: number): object => ({ req: { id: '', method: 'GET', path: '/there', remoteAddress: '127.0.0.1' }, res: { status } });

describe('the log of requests', () => {
  it('tells one that was refused, without its query', async () => {
    const [line, ...more] = await linesAbout('info', (response) => response.writeHead(404).end());
    expect(line).toMatchObject({ ...of(404), level: 'info', msg: 'request answered' });
    expect(more).toEqual([]);
  });

  it('tells one that went well to those who look closer', async () => {
    expect(await linesAbout('debug', (response) => response.end('ok'))).toEqual([expect.objectContaining({ ...of(200), level: 'debug' })]);
    expect(await linesAbout('info', (response) => response.end('ok'))).toEqual([]);
  });

  it('tells of a mistake in answering, which ends nobody', async () => {
    const lines = await linesAbout('info', (response) => void response.end('ok').write('more'));
    expect(lines).toContainEqual(expect.objectContaining({ ...of(200), level: 'warn', msg: 'request failed', err: expect.objectContaining({ code: 'ERR_STREAM_WRITE_AFTER_END' }) }));
  });
});
