import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CannotWork } from '../exit-codes.js';
import type { AgentKey } from './agent-key.js';
import { openKey, type KeyOptions } from './open-key.js';

const TOKEN = `mst_enr_${'0'.repeat(26)}${'t'.repeat(49)}`;
const OTHER_TOKEN = `mst_enr_${'1'.repeat(26)}${'t'.repeat(49)}`;
const NEW_KEY = `wak_${'3'.repeat(26)}${'n'.repeat(49)}`;
const KEY = `wak_${'2'.repeat(26)}${'k'.repeat(49)}`;

interface Asked {
  readonly bearer: string | undefined;
  readonly exchangeId: string;
  readonly name?: string;
}
type Reply = { readonly status: number; readonly body?: object; readonly headers?: Record<string, string> } | 'cut';

describe('the key of an agent', () => {
  let stateDir: string;
  let server: Server;
  let asked: Asked[];
  let replies: Reply[];
  let warned: string[];
  const PROBLEM = { detail: 'The enrolment token was refused.', hint: 'The token mst_enr_00000000… was used.' };

  beforeEach(async () => {
    stateDir = await mkdtemp(join(tmpdir(), 'muster-enrol-'));
    [asked, replies, warned] = [[], [], []];
    server = createServer((request, response) => {
      void bodyOf(request).then((body) => {
        asked.push({ bearer: request.headers.authorization, ...(JSON.parse(body) as { exchangeId: string }) });
        const reply = replies.shift() ?? { status: 201, body: { secret: KEY } };
        if (reply === 'cut') return request.socket.destroy();
        response.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers }).end(JSON.stringify(reply.body ?? {}));
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(async () => {
    server.closeAllConnections();
    server.close();
    await rm(stateDir, { recursive: true, force: true });
  });

  const open = (changes: Partial<KeyOptions> = {}): Promise<AgentKey | null> =>
    openKey(
      {
        url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        key: undefined,
        keyFile: undefined,
        enrolmentToken: TOKEN,
        name: 'lab-3',
        connectTimeoutMs: 20_000,
        retryIntervalMs: 10,
        retryMaxMs: 20,
        logger: { info: () => undefined, warn: (fields: object) => warned.push(JSON.stringify(fields)) },
        ...changes,
      },
      stateDir,
    );

  it('is had for a token once and kept for its owner only; the token is never sent again', async () => {
    expect((await open())?.current()).toBe(KEY);
    expect(asked).toEqual([{ bearer: `Bearer ${TOKEN}`, name: 'lab-3', exchangeId: expect.stringMatching(/^[0-9a-f]{64}$/) }]);
    expect(await readdir(stateDir)).toEqual(['key.json']);
    expect((await stat(join(stateDir, 'key.json'))).mode & 0o777).toBe(0o600);
    expect((await open())?.current()).toBe(KEY);
    expect((await open({ enrolmentToken: undefined }))?.current()).toBe(KEY);
    expect(asked).toHaveLength(1);
  });

  it('is asked for with the same text after a lost answer and after a crash, so that it is the same key', async () => {
    replies = ['cut', { status: 503 }, { status: 429, headers: { 'retry-after': '0.01' } }, { status: 404, body: PROBLEM }];
    await expect(open()).rejects.toThrow(CannotWork);
    // The next start, on what the one before left.
    expect(await readdir(stateDir)).toEqual(['enrolment.json']);
    expect((await stat(join(stateDir, 'enrolment.json'))).mode & 0o777).toBe(0o600);
    expect((await open())?.current()).toBe(KEY);
    expect(asked).toHaveLength(5);
    expect(new Set(asked.map(({ exchangeId }) => exchangeId)).size).toBe(1);
    expect(warned.join()).not.toContain(TOKEN);
  });

  it('is not to be had for a token that is refused, and the reason is said without it', async () => {
    replies = [{ status: 401, body: PROBLEM }];
    const failure = await open().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(CannotWork);
    expect(String(failure)).toContain('refused the enrolment token: The enrolment token was refused. The token mst_enr_');
    expect(String(failure)).not.toContain(TOKEN);
  });

  it('is replaced when another token is given, asking with another text', async () => {
    await open();
    replies = [{ status: 201, body: { secret: NEW_KEY } }];
    expect((await open({ enrolmentToken: OTHER_TOKEN }))?.current()).toBe(NEW_KEY);
    expect(asked[1]?.exchangeId).not.toBe(asked[0]?.exchangeId);
  });

  it('given by people goes before everything, and is read again from its file for each connection', async () => {
    const keyFile = join(stateDir, 'given');
    await writeFile(keyFile, 'wak_first\n');
    const key = await open({ key: 'wak_first', keyFile });
    expect(asked).toEqual([]);
    expect(key?.current()).toBe('wak_first');
    await writeFile(keyFile, 'wak_second\n');
    expect(key?.current()).toBe('wak_second');
    for (const text of ['', 'mst_adm_not_ours\n']) {
      await writeFile(keyFile, text);
      expect(key?.current()).toBe('wak_second');
    }
    await rm(keyFile);
    expect([key?.current(), key?.shown]).toEqual(['wak_second', 'wak_second']);
  });

  it('is nobody\'s where there is neither key nor token, and what is torn is none', async () => {
    expect(await open({ enrolmentToken: undefined })).toBeNull();
    await writeFile(join(stateDir, 'key.json'), '{"key":"wak_');
    expect(await open({ enrolmentToken: undefined })).toBeNull();
    expect((await open())?.current()).toBe(KEY);
    expect(JSON.parse(await readFile(join(stateDir, 'key.json'), 'utf8'))).toEqual({ key: KEY, tokenId: '0'.repeat(26) });
  });
});

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const part of request) text += String(part);
  return text;
}
