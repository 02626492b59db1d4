/**
 * Lets through what a log needs to look right on a terminal (text, colours, carriage returns and erased lines of progress
 * bars) and takes out what a job must not do to its reader's terminal: titles, clipboard, queries, cursor jumps, modes.
 * Works on bytes, across pieces; `--raw` goes around it.
 */
export class TerminalFilter {
  private state: 'text' | 'escape' | 'sequence' | 'string' | 'stringEscape' = 'text';
  private sequence: number[] = [];

  push(bytes: Uint8Array): Uint8Array {
    // Most pieces hold no control byte: they pass as they are.
    if (this.state === 'text' && !bytes.some(isControl)) return bytes;
    const kept: number[] = [];
    for (const byte of bytes) this.take(byte, kept);
    return Uint8Array.from(kept);
  }

  private take(byte: number, kept: number[]): void {
    switch (this.state) {
      case 'text':
        if (byte === ESCAPE) this.begin(byte);
        else if (!isControl(byte) || PASSED_CONTROLS.has(byte)) kept.push(byte);
        return;
      case 'escape':
        this.afterEscape(byte, kept);
        return;
      case 'sequence':
        this.inSequence(byte, kept);
        return;
      case 'string':
        if (byte === BELL || byte === CANCEL) this.state = 'text';
        else if (byte === ESCAPE) this.state = 'stringEscape';
        return;
      case 'stringEscape':
        this.state = byte === BACKSLASH ? 'text' : 'string';
        return;
    }
  }

  private begin(byte: number): void {
    this.state = 'escape';
    this.sequence = [byte];
  }

  private afterEscape(byte: number, kept: number[]): void {
    this.sequence.push(byte);
    if (byte === BRACKET) this.state = 'sequence';
    else if (STRING_STARTS.has(byte)) this.state = 'string';
    else if (byte === ESCAPE) this.begin(byte);
    // Intermediate bytes of a longer escape (character sets): wait for its end.
    else if (byte < 0x20 || byte > 0x2f) {
      this.state = 'text';
      if (byte < 0x20) this.take(byte, kept);
    }
  }

  private inSequence(byte: number, kept: number[]): void {
    if (byte === ESCAPE) {
      this.begin(byte);
      return;
    }
    this.sequence.push(byte);
    const isLast = byte >= 0x40 && byte <= 0x7e;
    if (!isLast && this.sequence.length < SEQUENCE_BYTES_MAX && byte >= 0x20) return;
    this.state = 'text';
    const isHarmless = PASSED_FINALS.has(byte) && this.sequence.slice(2, -1).every(isParameter);
    if (isLast && isHarmless) kept.push(...this.sequence);
    else if (byte < 0x20) this.take(byte, kept);
  }
}

const ESCAPE = 0x1b;
const BELL = 0x07;
const CANCEL = 0x18;
const BACKSLASH = 0x5c;
const BRACKET = 0x5b;
const SEQUENCE_BYTES_MAX = 64;
/** Backspace, tab, line feed, carriage return. */
const PASSED_CONTROLS = new Set([0x08, 0x09, 0x0a, 0x0d]);
/** `m` colours, `K` erases in the line. */
const PASSED_FINALS = new Set([0x6d, 0x4b]);
/** `]` titles and clipboard, `P` `X` `^` `_` device strings. */
const STRING_STARTS = new Set([0x5d, 0x50, 0x58, 0x5e, 0x5f]);

const isControl = (byte: number): boolean => byte < 0x20 || byte === 0x7f;
/** Digits, `;` and `:`; private markers such as `?` change modes and are none. */
const isParameter = (byte: number): boolean => byte >= 0x30 && byte <= 0x3b;
