import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import helmet from 'helmet';

/** Writes down what it is told. */
class Recorder extends ServerResponse {
  readonly said: [name: string, value: string][] = [];

  override setHeader(name: string, value: number | string | readonly string[]): this {
    this.said.push([name, String(value)]);
    return this;
  }
}

const SELF = ["'self'"];

/** What every answer tells browsers about itself: made once, because it is the same for all of them. */
export function constantHeaders(): readonly (readonly [name: string, value: string])[] {
  const request = new IncomingMessage(new Socket());
  const answer = new Recorder(request);
  const protect = helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: SELF,
        // Swagger UI draws its icons from data URLs.
        imgSrc: ["'self'", 'data:'],
        objectSrc: ["'none'"],
        baseUri: SELF,
        formAction: SELF,
        frameAncestors: ["'none'"],
      },
    },
    frameguard: { action: 'deny' },
    referrerPolicy: { policy: 'no-referrer' },
  });
  protect(request, answer, (error: unknown) => {
    if (error instanceof Error) throw error;
  });
  return answer.said;
}
