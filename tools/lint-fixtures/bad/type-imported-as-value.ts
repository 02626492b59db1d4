import { EventEmitter } from 'node:events';

export const listeners = (emitter: EventEmitter): number => emitter.listenerCount('end');
