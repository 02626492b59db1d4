import { EventEmitter } from 'node:events';
import { Intake, pausableOf } from './intake.js';

function setup() {
  const source = new EventEmitter();
  const heard: string[] = [];
  const intake = new Intake(source, { pause: () => heard.push('pause'), resume: () => heard.push('resume') }, 100);
  const take = (...parts: readonly (string | Uint8Array)[]): (() => void) => {
    for (const data of parts) source.emit('packet', { type: 'message', data });
    return intake.take();
  };
  return { source, heard, take };
}

describe('the messages of a socket that are not answered', () => {
  it('stop the reading once they are too heavy, until half of it is answered', () => {
    const { heard, take } = setup();
    const first = take('x'.repeat(20), Buffer.alloc(40));
    const second = take('x'.repeat(40));
    expect(heard).toEqual([]);
    const third = take('y');
    expect(heard).toEqual(['pause']);
    third();
    second();
    expect(heard).toEqual(['pause']);
    first();
    expect(heard).toEqual(['pause', 'resume']);
  });

  it('weigh nothing where nothing came', () => {
    const { source, heard, take } = setup();
    source.emit('packet', { type: 'pong' });
    for (let count = 0; count < 1_000; count += 1) take();
    expect(heard).toEqual([]);
  });

  it('are read on where the transport cannot be paused', () => {
    expect(pausableOf({})).toBeUndefined();
    expect(pausableOf({ socket: { send: () => undefined } })).toBeUndefined();
    const source = new EventEmitter();
    const intake = new Intake(source, undefined, 1);
    source.emit('packet', { type: 'message', data: 'xxx' });
    expect(() => intake.take()()).not.toThrow();
  });
});
