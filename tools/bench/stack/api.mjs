// REST with as little of our own processor time as possible: what is measured is the control plane, not its caller.
import { Agent, request } from 'node:http';

export class Api {
  /** @param {number} sockets requests that may be on their way at once */
  constructor(url, key, sockets = 16) {
    this.url = new URL(url);
    this.key = key;
    this.agent = new Agent({ keepAlive: true, maxSockets: sockets });
  }

  get(path) {
    return this.call('GET', path);
  }

  post(path, body, headers) {
    return this.call('POST', path, body, headers);
  }

  /** The answer as JSON. @throws for every status from 400 on, with the problem document's words */
  async call(method, path, body, headers = {}) {
    const { status, text } = await this.raw(method, path, body, headers);
    if (status >= 400) throw Object.assign(new Error(`${method} ${path}: ${status} ${text.slice(0, 300)}`), { status });
    return text === '' ? null : JSON.parse(text);
  }

  raw(method, path, body, headers = {}) {
    const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const options = {
      host: this.url.hostname,
      port: this.url.port,
      method,
      path: `/api/v1${path}`,
      agent: this.agent,
      headers: {
        authorization: `Bearer ${this.key}`,
        ...(bytes ? { 'content-type': 'application/json', 'content-length': bytes.length } : {}),
        ...headers,
      },
    };
    return new Promise((resolve, reject) => {
      const sent = request(options, (response) => {
        const pieces = [];
        response.on('data', (piece) => pieces.push(piece));
        response.on('end', () => resolve({ status: response.statusCode, text: Buffer.concat(pieces).toString() }));
        response.on('error', reject);
      });
      sent.on('error', reject);
      sent.end(bytes);
    });
  }

  close() {
    this.agent.destroy();
  }
}
