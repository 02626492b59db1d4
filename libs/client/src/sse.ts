/** One server-sent event as it came. */
export interface ServerSentEvent {
  /** `message` unless the server named it. */
  readonly event: string;
  readonly data: string;
  /** Id in force when the event came; it stays until the server sends another. Empty when none was sent yet. */
  readonly id: string;
}

/**
 * Decodes the `text/event-stream` format as bytes arrive, whatever the boundaries of the pieces: CR, LF and CRLF line
 * ends, several data lines, comments. An event that the stream's end cut off is dropped, as the format demands.
 */
export class SseParser {
  /** Pause the server asked for before a reconnect; null when it asked for none. */
  retryMs: number | null = null;
  private readonly decoder = new TextDecoder();
  private rest = '';
  private endedWithCr = false;
  private event = '';
  private data: string[] = [];
  private id = '';

  /** Events completed by these bytes, in order. */
  push(bytes: Uint8Array): ServerSentEvent[] {
    let text = this.decoder.decode(bytes, { stream: true });
    if (text === '') return [];
    // The LF of a CRLF that was cut between two pieces ends no second line.
    if (this.endedWithCr && text.startsWith('\n')) text = text.slice(1);
    this.endedWithCr = text.endsWith('\r');
    const lines = (this.rest + text).split(/\r\n|\n|\r/);
    this.rest = lines.pop() ?? '';
    const events: ServerSentEvent[] = [];
    for (const line of lines) {
      const event = this.take(line);
      if (event) events.push(event);
    }
    return events;
  }

  private take(line: string): ServerSentEvent | null {
    if (line === '') return this.dispatch();
    const colon = line.indexOf(':');
    if (colon === 0) return null;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (field === 'event') this.event = value;
    else if (field === 'data') this.data.push(value);
    else if (field === 'id' && !value.includes('\0')) this.id = value;
    else if (field === 'retry' && /^\d+$/.test(value)) this.retryMs = Number(value);
    return null;
  }

  private dispatch(): ServerSentEvent | null {
    const { data, event } = this;
    this.data = [];
    this.event = '';
    if (data.length === 0) return null;
    return { event: event === '' ? 'message' : event, data: data.join('\n'), id: this.id };
  }
}
