import { EventEmitter } from 'node:events';
import { listenToLauncher } from './launcher.js';

class Channel extends EventEmitter {
  constructor(readonly connected?: boolean) {
    super();
  }
}

function listen(channel: Channel): string[] {
  const heard: string[] = [];
  listenToLauncher({ stop: (graceSeconds) => heard.push(`stop ${graceSeconds}`), gone: () => heard.push('gone') }, channel);
  return heard;
}

describe('the word of a launcher', () => {
  it('to stop is heard with its grace, and anything else is not', () => {
    const channel = new Channel(true);
    const heard = listen(channel);
    for (const message of [{ kind: 'stop', graceSeconds: 7 }, 'stop', null, { kind: 'go' }, { kind: 'stop', graceSeconds: -1 }]) channel.emit('message', message);
    expect(heard).toEqual(['stop 7', 'stop 0']);
  });

  it('is missed when it dies, also when it died before anybody listened', () => {
    const channel = new Channel(true);
    const heard = listen(channel);
    channel.emit('disconnect');
    expect(heard).toEqual(['gone']);
    expect(listen(new Channel(false))).toEqual(['gone']);
  });

  it('is not waited for by an agent that somebody started by hand', () => {
    expect(listen(new Channel())).toEqual([]);
  });
});
