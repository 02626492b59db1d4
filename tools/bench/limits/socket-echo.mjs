// What Socket.IO itself reaches on this machine, between two processes, with nothing behind it.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { io } from 'socket.io-client';
import { inParallel, timesOf } from '../measure/waiting.mjs';

/**
 * @param {{ echoes: number, sequential: number, megabytes: number }} sizes
 * @returns {Promise<{ echoesPerSecond: number, sequentialMs: number[], bytesRate: number }>} the last in MB/s, acknowledged, 16 on their way
 */
export async function socketEcho({ echoes, sequential, megabytes }) {
  const server = fork(join(import.meta.dirname, 'socket-server.mjs'));
  const [{ port }] = await once(server, 'message');
  const socket = io(`http://127.0.0.1:${port}`, { transports: ['websocket'], forceNew: true, reconnection: false });
  try {
    await once(socket, 'connect');
    const ask = (event, body) => new Promise((resolve) => socket.emit(event, body, resolve));
    const body = { attemptId: 'att_00000000000000000000000000', epoch: 1 };
    await inParallel(Math.min(500, echoes), 200, () => ask('echo', body));
    const began = performance.now();
    await inParallel(echoes, 200, () => ask('echo', body));
    const echoesPerSecond = echoes / ((performance.now() - began) / 1000);
    const sequentialMs = await timesOf(sequential, () => ask('echo', body));
    const bytes = Buffer.alloc(64 * 1024, 'x');
    const count = Math.ceil((megabytes * 1e6) / bytes.length);
    const bytesBegan = performance.now();
    await inParallel(count, 16, () => ask('bytes', bytes));
    const bytesRate = (count * bytes.length) / 1e6 / ((performance.now() - bytesBegan) / 1000);
    return { echoesPerSecond, sequentialMs, bytesRate };
  } finally {
    socket.disconnect();
    server.disconnect();
    await once(server, 'exit');
  }
}
