import { once } from 'node:events';
import { createServer, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createLogger } from '@muster/runtime';
import type { Request } from 'express';
import { logAccess } from './access-log.js';

type Asker = ReturnType<typeof request>;

/** Lines said about one GET of `/there?key=secret` on a server that answers with `answer`. */
async function linesAbout(level: 'debug' | 'info', answer: (response: ServerResponse, asker: Asker) => void): Promise<unknown[]> {
  const lines: unknown[] = [];
  const log = createLogger({ name: 'test', level, format: 'json', sink: { write: (line) => lines.push(JSON.parse(line)) } });
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const asked = once(server, 'request') as Promise<[Request, ServerResponse]>;
  const asker = request({ host: '127.0.0.1', port, path: '/there?key=secret', agent: false }, (received) => received.resume().on('error', () => undefined))
    .on('error', () => undefined);
  asker.end();
  const [incoming, response] = await asked;
  logAccess(log, Object.assign(incoming, { originalUrl: incoming.url }), response);
  const isOver = new Promise<void>((resolve) => response.once('close', () => resolve()));
  answer(response, asker);
  await isOver;
  server.closeAllConnections();
  server.close();
  return lines;
}

const of = (status: number) => ({ req: { id: '', method: 'GET', path: '/there', remoteAddress: '127.0.0.1' }, res: { status } });

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

  it('tells of a mistake in answering once, and it ends nobody', async () => {
    const [line, ...more] = await linesAbout('debug', (response) => void response.end('ok').write('more'));
    expect(line).toMatchObject({ ...of(200), level: 'warn', msg: 'request failed', err: { code: 'ERR_STREAM_WRITE_AFTER_END' } });
    expect(more).toEqual([]);
  });

  it('does not tell who left before the answer for answered', async () => {
    const left = await linesAbout('debug', (_response, asker) => asker.destroy());
    expect(left).toEqual([expect.objectContaining({ req: of(200).req, res: { status: null }, level: 'debug', msg: 'request left by its client' })]);
    const leftAmid = await linesAbout('debug', (response, asker) => {
      asker.on('response', () => asker.destroy());
      response.write('a part');
    });
    expect(leftAmid).toEqual([expect.objectContaining({ ...of(200), msg: 'request left by its client' })]);
  });
});
