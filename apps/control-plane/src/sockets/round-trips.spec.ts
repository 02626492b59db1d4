import { EventEmitter, once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { eventually } from '@muster/testing';
import { Server } from 'socket.io';
import { io } from 'socket.io-client';
import { RoundTrips } from './round-trips.js';

describe('the way to an agent and back', () => {
  let nowMs = 0;
  const connection = new EventEmitter();
  const rounds = new RoundTrips(connection, () => nowMs);
  const round = (tookMs: number): void => {
    connection.emit('packetCreate', { type: 'ping' });
    nowMs += tookMs;
    connection.emit('packet', { type: 'pong' });
  };

  it('is not known before a ping was answered', () => {
    connection.emit('packetCreate', { type: 'message' });
    connection.emit('packet', { type: 'pong' });
    expect(rounds.medianMs).toBeNull();
  });

  it('is the median of the last rounds, which one slow one does not move', () => {
    round(10);
    expect(rounds.medianMs).toBe(10);
    round(20);
    expect(rounds.medianMs).toBe(15);
    round(4_000);
    expect(rounds.medianMs).toBe(20);
    for (let more = 0; more < 9; more++) round(2.5);
    expect(rounds.medianMs).toBe(2.5);
  });

  it('is measured on a real connection, by its own pings', async () => {
    const http = createServer();
    const server = new Server(http, { pingInterval: 20, transports: ['websocket'] });
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    const client = io(`http://127.0.0.1:${(http.address() as AddressInfo).port}`, { transports: ['websocket'] });
    try {
      const [socket] = (await once(server, 'connection')) as [{ conn: EventEmitter }];
      const measured = new RoundTrips(socket.conn);
      expect(await eventually('a ping is answered', () => measured.medianMs)).toBeGreaterThan(0);
    } finally {
      client.close();
      await server.close();
    }
  }, 60_000);
});
