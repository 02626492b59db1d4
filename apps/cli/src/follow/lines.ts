/** Cuts a byte stream into lines as a reader sees them, for `--grep`. */
export class LineReader {
  private readonly decoder = new TextDecoder();
  private rest = '';

  /** Lines completed by these bytes, without their ends. */
  push(bytes: Uint8Array): string[] {
    const lines = (this.rest + this.decoder.decode(bytes, { stream: true })).split('\n');
    this.rest = lines.pop() ?? '';
    return lines.map(visible);
  }

  /** What stands after the last line end; empty when nothing does. */
  end(): string[] {
    const last = visible(this.rest + this.decoder.decode());
    this.rest = '';
    return last === '' ? [] : [last];
  }
}

/** What is left on the screen of a line that was written over and over: a progress bar shows its last state. */
function visible(line: string): string {
  const text = line.endsWith('\r') ? line.slice(0, -1) : line;
  return text.slice(text.lastIndexOf('\r') + 1);
}
