/**
 * Many small file operations per job, off the event loop: one thread that does them in order, synchronously.
 *
 * A call of `fs/promises` wakes a pool thread and is woken by it; a job needs some twenty, which costs the agent more than
 * the work itself. Here one message carries all that was asked for in one turn of the event loop, or while the thread was
 * busy, and its answer all answers. A disk that stalls still stalls nobody but the jobs.
 */
import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { fileThread, removing, type FileOperation, type FileReply, type FileRequest, type FileRequests } from './file-thread.js';

export type { FileOperation } from './file-thread.js';

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** An operation the disk refused; `code` is the system's (ENOSPC, EEXIST). */
export class FileRefused extends Error {
  constructor(
    message: string,
    readonly code: string,
  ) {
    super(message);
    this.name = 'FileRefused';
  }
}

/** On this thread, which waits: for a program that has nothing else to do yet, and to which a thread is not worth its memory. */
export function doHere(operations: readonly FileOperation[]): void {
  let refused: FileReply['error'] = null;
  const port = {
    on: (_message: 'message', listener: (requests: FileRequests) => void) =>
      listener({ urgent: [{ id: 0, operations }], later: [] }),
    postMessage: ([reply]: readonly FileReply[]) => (refused = reply?.error ?? null),
  };
  fileThread(fs, port, removing(fs));
  if (refused !== null) throw refusal(refused);
}

const refusal = ({ message, code }: NonNullable<FileReply['error']>): FileRefused => new FileRefused(message, code);

/** What nobody waits for goes over with what somebody waits for, or after this long. */
const PATIENCE_MS = 100;
/** A thread takes 7 MiB, and some 30 ms to start: it stays for those who come soon. */
const REST_MS = 10_000;

export class FileLane {
  private worker: Worker | null = null;
  /** Looks now and then whether the thread had anything to do since the last look. */
  private rest: NodeJS.Timeout | null = null;
  private wasUsed = false;
  private readonly waiting = new Map<number, Waiting>();
  /** Asked for in this turn, or while the thread was busy. */
  private urgent: FileRequest[] = [];
  /** Asked for by somebody with patience. */
  private later: FileRequest[] = [];
  /** The thread owes an answer to so many. */
  private unanswered = 0;
  /** Somebody waits for what is queued, and the end of this turn, or the thread's answer, sends it. */
  private isDue = false;
  private patience: NodeJS.Timeout | null = null;
  private lastId = 0;

  /** Without anything to do for `restMs`, its thread ends; the next to ask starts another. */
  constructor(private readonly restMs = REST_MS) {}

  /** Does the operations in order and stops at the first that fails. Lists are done in the order they were given. */
  run(operations: readonly FileOperation[]): Promise<void> {
    const done = this.queue(this.urgent, operations);
    if (!this.isDue) setImmediate(() => this.flush());
    this.isDue = true;
    return done;
  }

  /** The same for what nobody waits for: in order among its like, and after all that somebody waits for by then. */
  runLater(operations: readonly FileOperation[]): Promise<void> {
    const done = this.queue(this.later, operations);
    this.patience ??= setTimeout(() => {
      this.isDue = true;
      this.flush();
    }, PATIENCE_MS);
    return done;
  }

  /** After what was asked before it, or once `patienceMs` are over: then what was begun stays half done, and the rest rejects. */
  async close(patienceMs?: number): Promise<void> {
    if (this.waiting.size > 0) {
      const done = Promise.all([this.queue(this.later, []), this.run([])]).catch(() => undefined);
      await (patienceMs === undefined ? done : Promise.race([done, sleep(patienceMs, undefined, { ref: false })]));
    }
    this.stopResting();
    await this.worker?.terminate();
  }

  private open(): Worker {
    const source = `const fs = require('node:fs');
      (${fileThread.toString()})(fs, require('node:worker_threads').parentPort, (${removing.toString()})(fs));`;
    const worker = new Worker(source, { eval: true, name: 'fileLane' });
    // One that ends tells so twice, and by the second time another may be at work.
    const lost = (error: Error): void => {
      if (this.worker === worker) this.lose(error);
    };
    worker.on('message', (replies: readonly FileReply[]) => this.settle(replies));
    worker.on('error', lost);
    worker.on('exit', () => lost(new Error('The file thread ended.')));
    worker.unref();
    this.rest ??= setInterval(() => this.retire(), this.restMs).unref();
    return worker;
  }

  private retire(): void {
    const isIdle = !this.wasUsed && this.waiting.size === 0;
    this.wasUsed = false;
    if (!isIdle) return;
    this.stopResting();
    const { worker } = this;
    this.worker = null;
    void worker?.terminate();
  }

  private stopResting(): void {
    if (this.rest) clearInterval(this.rest);
    this.rest = null;
  }

  private queue(requests: FileRequest[], operations: readonly FileOperation[]): Promise<void> {
    const id = ++this.lastId;
    requests.push({ id, operations });
    return new Promise<void>((resolve, reject) => this.waiting.set(id, { resolve, reject }));
  }

  private flush(): void {
    if (this.unanswered > 0 || !this.isDue) return;
    this.endPatience();
    this.isDue = false;
    const worker = (this.worker ??= this.open());
    // The thread keeps the process alive only while somebody waits for it.
    worker.ref();
    this.wasUsed = true;
    const requests: FileRequests = { urgent: this.urgent, later: this.later };
    this.unanswered = this.urgent.length + this.later.length;
    worker.postMessage(requests);
    this.urgent = [];
    this.later = [];
  }

  private endPatience(): void {
    if (this.patience) clearTimeout(this.patience);
    this.patience = null;
  }

  private settle(replies: readonly FileReply[]): void {
    this.unanswered -= replies.length;
    for (const { id, error } of replies) {
      const waiting = this.waiting.get(id);
      this.waiting.delete(id);
      if (error) waiting?.reject(refusal(error));
      else waiting?.resolve();
    }
    if (this.isDue) this.flush();
    else if (this.unanswered === 0) this.worker?.unref();
  }

  private lose(error: Error): void {
    this.stopResting();
    this.endPatience();
    this.worker = null;
    this.unanswered = 0;
    this.isDue = false;
    this.urgent = [];
    this.later = [];
    for (const waiting of this.waiting.values()) waiting.reject(error);
    this.waiting.clear();
  }
}
