/**
 * A JSON reader that tolerates what Java's JSON libraries write and read: bare integer keys
 * (`{1:"a"}`), single-quoted strings, and integers beyond 2^53.
 *
 * It is the second try, after `JSON.parse`, so it is written for safety rather than speed: linear
 * in its input, bounded in depth, and it fails only with `LenientJsonError`.
 *
 * @source fastjson2 2.0.43 as used by rocketmq 5.4.0, observed
 */

export type Json =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly Json[]
  | { readonly [key: string]: Json };

export class LenientJsonError extends Error {
  override readonly name = 'LenientJsonError';
  readonly code = 'JSON_INVALID';
}

export interface LenientJsonOptions {
  /**
   * `value`: numbers as number, or as bigint when an integer is not safe. `text`: numbers as the
   * string that was written, which is how `1.50` keeps its digits in a map of strings.
   */
  readonly numbers: 'value' | 'text';
}

const DEPTH_MAX = 128;
/** Longer integers become doubles: no field holds one, and BigInt would take quadratic time. */
const BIGINT_DIGITS_MAX = 40;

/** @throws {LenientJsonError} naming what was expected and the offset in UTF-16 units. */
export function parseLenientJson(text: string, options: LenientJsonOptions): Json {
  const reader = new Reader(text, options.numbers === 'text');
  const value = reader.value(0);
  reader.end();
  return value;
}

class Reader {
  readonly #text: string;
  readonly #numbersAsText: boolean;
  #at = 0;

  constructor(text: string, numbersAsText: boolean) {
    this.#text = text;
    this.#numbersAsText = numbersAsText;
  }

  value(depth: number): Json {
    if (depth > DEPTH_MAX) throw this.#expected(`at most ${DEPTH_MAX} levels`);
    switch (this.#peek()) {
      case '{':
        return this.#object(depth);
      case '[':
        return this.#array(depth);
      case '"':
      case "'":
        return this.#string();
      case 't':
        return this.#word('true', true);
      case 'f':
        return this.#word('false', false);
      case 'n':
        return this.#word('null', null);
      default:
        return this.#number();
    }
  }

  end(): void {
    if (this.#peek() !== '') throw this.#expected('the end');
  }

  #object(depth: number): Json {
    const object: Record<string, Json> = {};
    this.#at += 1;
    if (this.#peek() === '}') {
      this.#at += 1;
      return object;
    }
    for (;;) {
      const key = this.#key();
      if (this.#peek() !== ':') throw this.#expected("':'");
      this.#at += 1;
      const value = this.value(depth + 1);
      if (key === '__proto__') {
        // A plain assignment would change the object's prototype instead.
        Object.defineProperty(object, key, {
          value,
          configurable: true,
          enumerable: true,
          writable: true,
        });
      } else {
        object[key] = value;
      }
      if (this.#closes('}')) return object;
    }
  }

  #key(): string {
    const first = this.#peek();
    if (first === '"' || first === "'") return this.#string();
    const key = this.#match(/-?\d+/y);
    if (key === null) throw this.#expected('a quoted or integer key');
    return key;
  }

  #array(depth: number): Json {
    const array: Json[] = [];
    this.#at += 1;
    if (this.#peek() === ']') {
      this.#at += 1;
      return array;
    }
    for (;;) {
      array.push(this.value(depth + 1));
      if (this.#closes(']')) return array;
    }
  }

  /** After a member: true at the closing bracket, false at a comma, both consumed. */
  #closes(bracket: string): boolean {
    const next = this.#peek();
    if (next !== bracket && next !== ',') throw this.#expected(`',' or '${bracket}'`);
    this.#at += 1;
    return next === bracket;
  }

  #string(): string {
    const quote = this.#text.charCodeAt(this.#at);
    this.#at += 1;
    let value = '';
    for (;;) {
      const start = this.#at;
      while (isPlain(this.#text.charCodeAt(this.#at), quote)) this.#at += 1;
      value += this.#text.slice(start, this.#at);
      const stop = this.#text.charCodeAt(this.#at);
      if (stop === quote) {
        this.#at += 1;
        return value;
      }
      if (stop !== BACKSLASH) throw this.#expected('the end of a string');
      value += this.#escape();
    }
  }

  #escape(): string {
    const unicode = this.#match(/\\u[0-9a-fA-F]{4}/y);
    if (unicode !== null) return String.fromCharCode(Number.parseInt(unicode.slice(2), 16));
    const escaped = escapes.get(this.#text[this.#at + 1] ?? '');
    if (escaped === undefined) throw this.#expected('an escape');
    this.#at += 2;
    return escaped;
  }

  #word<Value extends Json>(word: string, value: Value): Value {
    if (!this.#text.startsWith(word, this.#at)) throw this.#expected(word);
    this.#at += word.length;
    return value;
  }

  #number(): Json {
    const written = this.#match(/-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y);
    if (written === null) throw this.#expected('a value');
    if (this.#numbersAsText) return written;
    const value = Number(written) + 0; // -0 is 0 to Java's integers.
    if (Number.isSafeInteger(value) || written.length > BIGINT_DIGITS_MAX) return value;
    return /^-?\d+$/.test(written) ? BigInt(written) : value;
  }

  #match(sticky: RegExp): string | null {
    sticky.lastIndex = this.#at;
    const matched = sticky.exec(this.#text)?.[0];
    if (matched === undefined) return null;
    this.#at += matched.length;
    return matched;
  }

  /** Skips white space; `''` at the end. */
  #peek(): string {
    for (;;) {
      const next = this.#text[this.#at];
      if (next !== ' ' && next !== '\n' && next !== '\r' && next !== '\t') return next ?? '';
      this.#at += 1;
    }
  }

  #expected(what: string): LenientJsonError {
    return new LenientJsonError(`expected ${what} at offset ${this.#at}`);
  }
}

const BACKSLASH = 0x5c;

/** False for NaN, which is what lies beyond the end. */
const isPlain = (unit: number, quote: number): boolean =>
  unit >= 0x20 && unit !== quote && unit !== BACKSLASH;

const escapes: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ["'", "'"],
  ['\\', '\\'],
  ['/', '/'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
]);
