import { EventEmitter } from 'node:events';

function Injectable(): ClassDecorator {
  return () => undefined;
}

/** The type of a constructor parameter is what Nest injects by: it has to stay a value although it looks like a type. */
@Injectable()
export class Announcer {
  constructor(private readonly emitter: EventEmitter) {}

  announce(): boolean {
    return this.emitter.emit('end');
  }
}
