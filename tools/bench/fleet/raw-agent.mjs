// An agent that runs nothing: the real protocol over a real socket, and as little processor time as possible. With `works` it
// takes offers, starts and ends them at once, so that what is left is the control plane's part of a job.
import { randomBytes } from 'node:crypto';
import { AGENT_NAMESPACE, PROTOCOL_VERSION_TEXT } from '@muster/protocol';
import { Backoff } from '@muster/runtime';
import { anEnd, anInventory } from '@muster/testing';
import { io } from 'socket.io-client';
import { sleep } from '../measure/waiting.mjs';

/** As the real agent's defaults: MUSTER_AGENT_RETRY_INTERVAL and MUSTER_AGENT_RETRY_MAX. */
const RETRY = { baseMs: 1_000, maxMs: 30_000, minMs: 100 };

/** What was offered ends at once, if the control plane answers at all. */
const LEAVE_MS_MAX = 3_000;

/** What the agents of one process have seen since it was last taken; times in milliseconds, moments on the wall clock. */
export class Record {
  beatMs = [];
  helloMs = [];
  helloAt = [];
  offerAt = [];
  endedAt = [];
  errors = {};

  failed(code) {
    this.errors[code] = (this.errors[code] ?? 0) + 1;
  }
}

export class RawAgent {
  #options;
  #record;
  #wallNow;
  #socket;
  #backoff;
  #beatTimer;
  #retryTimer;
  #session = 0;
  #workerId;
  #running = new Map();
  #isClosed = false;
  #isPaused = false;
  #machineId = `machine-${randomBytes(8).toString('hex')}`;
  #instanceId = `0000000001-${randomBytes(6).toString('hex')}`;
  isSynced = false;

  /**
   * @param {{ url: string, key: string, name: string, slots: number, works: boolean, labels?: Record<string, string>, retry?: object }} options
   * @param {() => Record} record where to write what is seen
   * @param {() => number} wallNow
   */
  constructor(options, record, wallNow) {
    this.#options = options;
    this.#backoff = new Backoff(options.retry ?? RETRY);
    this.#record = record;
    this.#wallNow = wallNow;
  }

  connect() {
    const { url, key } = this.#options;
    const socket = io(`${url}${AGENT_NAMESPACE}`, {
      transports: ['websocket'],
      forceNew: true,
      reconnection: false,
      auth: { key, protocolVersion: PROTOCOL_VERSION_TEXT },
    });
    this.#socket = socket;
    socket.on('connect', () => void this.#hello());
    socket.on('connect_error', (error) => this.#lost(`connect: ${error.message}`));
    socket.on('disconnect', (reason) => this.#lost(`disconnect: ${reason}`));
    if (this.#options.works) socket.on('attempt:offer', (offer) => void this.#run(offer));
    else socket.on('attempt:offer', () => this.#record().offerAt.push(this.#wallNow()));
  }

  close() {
    this.#isClosed = true;
    clearTimeout(this.#beatTimer);
    clearTimeout(this.#retryTimer);
    this.#socket?.disconnect();
  }

  /** Takes no more, does what it was given, and goes: nothing is left behind that somebody would have to give up. */
  async leave() {
    if (this.isSynced && this.#options.works) {
      this.#isPaused = true;
      await this.#beat();
      const until = performance.now() + LEAVE_MS_MAX;
      while (this.#running.size > 0 && performance.now() < until) await sleep(5);
    }
    this.close();
  }

  async #hello() {
    const { name, slots, labels = {} } = this.#options;
    const began = performance.now();
    const answer = await this.#ask('worker:hello', {
      protocolVersion: PROTOCOL_VERSION_TEXT,
      agentVersion: '0.0.0-bench',
      ...(this.#workerId ? { workerId: this.#workerId } : {}),
      machineId: this.#machineId,
      instanceId: this.#instanceId,
      session: this.#session,
      bootId: 'bench',
      name,
      slots,
      inventory: anInventory({ labels }),
      executions: this.#executions(),
    });
    if (answer === undefined) return this.#giveUp();
    this.#record().helloMs.push(performance.now() - began);
    this.#record().helloAt.push(this.#wallNow());
    this.#session = answer.session;
    this.#workerId = answer.workerId;
    this.#backoff.reset();
    this.isSynced = true;
    // Spread over the interval: agents of a real fleet did not all start in one moment.
    void this.#beat();
    this.#plan(answer.beatIntervalMs * Math.random());
  }

  #plan(ms) {
    clearTimeout(this.#beatTimer);
    this.#beatTimer = setTimeout(async () => {
      const answer = await this.#beat();
      if (this.isSynced) this.#plan(answer?.beatIntervalMs ?? 10_000);
    }, ms);
  }

  async #beat() {
    const began = performance.now();
    const sample = { cpuPercent: Math.round(Math.random() * 100), memoryUsedMb: 4_096, diskFreeMb: 50_000 };
    const slotsFree = this.#options.slots - this.#running.size;
    const answer = await this.#ask('worker:beat', {
      session: this.#session,
      executions: this.#executions(),
      sample,
      paused: this.#isPaused,
      slotsFree,
    });
    if (answer !== undefined) this.#record().beatMs.push(performance.now() - began);
    return answer;
  }

  async #run(offer) {
    const { attemptId, epoch } = offer;
    if (this.#running.has(attemptId)) return;
    this.#record().offerAt.push(this.#wallNow());
    this.#running.set(attemptId, { attemptId, epoch, state: 'running' });
    const start = await this.#ask('attempt:start', { attemptId, epoch });
    const end = start?.kind === 'go' ? await this.#ask('attempt:end', anEnd({ attemptId, epoch })) : undefined;
    this.#running.delete(attemptId);
    // Only what the control plane took is a job done; a start that it refused may come to another agent.
    if (end?.kind === 'accepted') this.#record().endedAt.push(this.#wallNow());
    else this.#record().failed(`attempt: start ${start?.kind ?? 'lost'}, end ${end?.kind ?? 'lost'}`);
  }

  #executions() {
    return [...this.#running.values()];
  }

  /** A hello that nobody answered: another connection may have more luck. */
  #giveUp() {
    if (this.#socket.connected) this.#socket.disconnect();
    else this.#lost('hello: lost with its connection');
  }

  /** What was answered, or nothing: an error is counted, a lost answer is what a closed socket leaves. */
  #ask(event, body) {
    return new Promise((resolve) => {
      this.#socket.timeout(20_000).emit(event, body, (timeout, ack) => {
        if (timeout) this.#record().failed(`${event}: no answer`);
        else if ('error' in ack) this.#record().failed(`${event}: ${ack.error.code}`);
        resolve(timeout || 'error' in ack ? undefined : ack.ok);
      });
    });
  }

  #lost(code) {
    this.#record().failed(code);
    this.isSynced = false;
    clearTimeout(this.#beatTimer);
    if (this.#isClosed) return;
    clearTimeout(this.#retryTimer);
    this.#retryTimer = setTimeout(() => this.connect(), this.#backoff.nextDelayMs());
  }
}
