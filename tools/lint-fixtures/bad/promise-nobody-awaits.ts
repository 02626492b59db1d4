import { EventEmitter } from 'node:events';

new EventEmitter().on('end', async () => {
  await Promise.resolve();
});
