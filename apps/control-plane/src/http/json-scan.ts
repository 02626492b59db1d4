/**
 * Walks through JSON text once, without building anything: says where the text stops being JSON, and refuses depth and
 * numbers of names and items while they are still text. A megabyte of `[` costs `JSON.parse` a fifth of a second; here it
 * costs nothing.
 */
import { BODY_LIMITS, type ShapeLimits } from './shape-guard.js';

export type ScanComplaint =
  | { readonly kind: 'syntax'; readonly offset: number; readonly detail: string }
  | { readonly kind: 'shape'; readonly offset: number; readonly detail: string };

type Expecting = 'value' | 'valueOrEnd' | 'name' | 'nameOrEnd' | 'colon' | 'separatorOrEnd' | 'nothing';

const EXPECTATIONS: Record<Expecting, string> = {
  value: 'a value',
  valueOrEnd: 'a value or `]`',
  name: 'a name in double quotes',
  nameOrEnd: 'a name in double quotes or `}`',
  colon: '`:`',
  separatorOrEnd: '`,` or the end of the list or object',
  nothing: 'the end of the text',
};

const SCALAR = /(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.+-])/y;
const SPACE = /[ \t\n\r]*/y;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

/** Null when `text` is JSON of a harmless shape. */
export function scanJson(text: string, limits: Pick<ShapeLimits, 'depthMax' | 'keysMax' | 'itemsMax'> = BODY_LIMITS): ScanComplaint | null {
  return new Scanner(text, limits).run();
}

/** `line 3, column 14`, counted from 1. */
export function placeInText(text: string, offset: number): string {
  const before = text.slice(0, offset).split('\n');
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
}

class Scanner {
  private at = 0;
  private expecting: Expecting = 'value';
  /** True for an object, false for a list; innermost last. */
  private readonly nesting: boolean[] = [];
  private names = 0;
  private items = 0;

  constructor(
    private readonly text: string,
    private readonly limits: Pick<ShapeLimits, 'depthMax' | 'keysMax' | 'itemsMax'>,
  ) {}

  run(): ScanComplaint | null {
    for (;;) {
      this.at = endOf(SPACE, this.text, this.at) ?? this.at;
      if (this.at >= this.text.length && this.expecting === 'nothing') return null;
      const complaint = this.step();
      if (complaint !== null) return complaint;
    }
  }

  private step(): ScanComplaint | null {
    const character = this.text[this.at];
    switch (this.expecting) {
      case 'colon':
        return character === ':' ? this.advance('value') : this.unexpected();
      case 'name':
      case 'nameOrEnd':
        if (character === '}' && this.expecting === 'nameOrEnd') return this.close();
        return character === '"' ? this.name() : this.unexpected();
      case 'value':
      case 'valueOrEnd':
        if (character === ']' && this.expecting === 'valueOrEnd') return this.close();
        return this.value(character);
      case 'separatorOrEnd':
        return this.separatorOrEnd(character);
      case 'nothing':
        return this.unexpected();
    }
  }

  private value(character: string | undefined): ScanComplaint | null {
    if (this.nesting.at(-1) === false && ++this.items > this.limits.itemsMax) {
      return this.shape(`Expected at most ${this.limits.itemsMax} items in all lists together.`);
    }
    if (character === '{' || character === '[') {
      this.nesting.push(character === '{');
      if (this.nesting.length > this.limits.depthMax) return this.shape(`Expected at most ${this.limits.depthMax} levels of nesting.`);
      return this.advance(character === '{' ? 'nameOrEnd' : 'valueOrEnd');
    }
    const end = character === '"' ? this.endOfText() : endOf(SCALAR, this.text, this.at);
    return end === null ? this.unexpected() : this.jump(end, this.afterValue());
  }

  private name(): ScanComplaint | null {
    if (++this.names > this.limits.keysMax) return this.shape(`Expected at most ${this.limits.keysMax} names in all objects together.`);
    const end = this.endOfText();
    return end === null ? this.unexpected() : this.jump(end, 'colon');
  }

  private separatorOrEnd(character: string | undefined): ScanComplaint | null {
    const isObject = this.nesting.at(-1) === true;
    if (character === (isObject ? '}' : ']')) return this.close();
    return character === ',' ? this.advance(isObject ? 'name' : 'value') : this.unexpected();
  }

  private close(): null {
    this.nesting.pop();
    return this.advance(this.afterValue());
  }

  private afterValue(): Expecting {
    return this.nesting.length === 0 ? 'nothing' : 'separatorOrEnd';
  }

  /** Where the text that begins here ends; null, with `at` on the offending character, when it does not. */
  private endOfText(): number | null {
    for (let at = this.at + 1; at < this.text.length; at++) {
      const code = this.text.charCodeAt(at);
      if (code === QUOTE) return at + 1;
      if (code === BACKSLASH) {
        const end = endOf(ESCAPE, this.text, at);
        if (end === null) return this.stuck(at);
        at = end - 1;
      } else if (code < 0x20) return this.stuck(at);
    }
    return this.stuck(this.text.length);
  }

  private stuck(at: number): null {
    this.at = at;
    return null;
  }

  private advance(next: Expecting): null {
    return this.jump(this.at + 1, next);
  }

  private jump(to: number, next: Expecting): null {
    this.at = to;
    this.expecting = next;
    return null;
  }

  private unexpected(): ScanComplaint {
    const found = this.at >= this.text.length ? 'the end of the body' : JSON.stringify(this.text[this.at]);
    return { kind: 'syntax', offset: this.at, detail: `Expected ${EXPECTATIONS[this.expecting]}, got ${found}` };
  }

  private shape(detail: string): ScanComplaint {
    return { kind: 'shape', offset: this.at, detail };
  }
}

/** Where the sticky pattern's match ends; null when it does not match at `offset`. */
function endOf(pattern: RegExp, text: string, offset: number): number | null {
  pattern.lastIndex = offset;
  return pattern.test(text) ? pattern.lastIndex : null;
}
