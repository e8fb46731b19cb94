/**
 * Java `.properties` text, read and written as `java.util.Properties` does it.
 *
 * Operators bring files written for upstream's controller, so comments, `\` continuations, escapes
 * and all three separators are taken as Java takes them.
 *
 * @source java.util.Properties.load(Reader), JDK 17
 */

export interface Property {
  readonly key: string;
  readonly value: string;
  /** Of the line where the property starts, from 1. */
  readonly line: number;
}

export class PropertiesError extends Error {
  override readonly name = 'PropertiesError';
  readonly code = 'PROPERTIES_INVALID';
  /** From 1. */
  readonly line: number;

  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

/**
 * Reads properties in file order; a key that comes twice is listed twice.
 *
 * @throws {PropertiesError} for a `\u` escape without four hexadecimal digits, the only text that Java refuses.
 */
export function parseProperties(text: string): Property[] {
  const properties: Property[] = [];
  for (const { content, line } of logicalLines(text)) {
    const [, rawKey = '', rawValue = ''] = KEY_AND_VALUE.exec(content) ?? [];
    properties.push({ key: unescaped(rawKey, line), value: unescaped(rawValue, line), line });
  }
  return properties;
}

/** Writes one property a line, so that `parseProperties` reads the same keys and values back. */
export function formatProperties(properties: Readonly<Record<string, string>>): string {
  return Object.entries(properties)
    .map(
      ([key, value]) => `${escaped(key, /[\\=:\s#!]/g)}=${escaped(value, /\\|^\s|[\t\n\r\f]/g)}\n`,
    )
    .join('');
}

/**
 * Changes some properties of a text and leaves the rest of it, comments too, as it is: the last line
 * of a key says the new value, earlier ones go, and what the text does not have is added at its end.
 *
 * @param nameOf the name in `changes` by which a key of the text goes
 * @throws {PropertiesError} as `parseProperties`
 */
export function replaceProperties(
  text: string,
  changes: Readonly<Record<string, string>>,
  nameOf: (key: string) => string = (key) => key,
): string {
  const lines = text.split(LINE_END);
  const missing = new Map(Object.entries(changes));
  const last = new Map<string, { readonly line: number; readonly lastLine: number }>();
  for (const { content, line, lastLine } of logicalLines(text)) {
    const [, rawKey = ''] = KEY_AND_VALUE.exec(content) ?? [];
    const name = nameOf(unescaped(rawKey, line));
    if (!Object.hasOwn(changes, name)) continue;
    lines.fill(GONE, line - 1, lastLine);
    last.set(name, { line, lastLine });
  }
  for (const [name, { line }] of last) {
    lines[line - 1] = formatProperties({ [name]: missing.get(name) ?? '' }).slice(0, -1);
    missing.delete(name);
  }
  const kept = lines.filter((line) => line !== GONE);
  if (kept.at(-1) === '') kept.pop();
  const head = kept.map((line) => `${line}\n`).join('');
  return head + formatProperties(Object.fromEntries(missing));
}

/** Stands for a line that goes; no line of a text can hold it. */
const GONE = '\n';
const LINE_END = /\r\n|\r|\n/;

/** A key ends at the first unescaped `=`, `:` or blank; blanks around one separator belong to neither. */
const KEY_AND_VALUE = /^((?:\\[\s\S]|[^\\=:\s])*)(?:[ \t\f]*[=:][ \t\f]*|[ \t\f]+)?([\s\S]*)$/;

interface LogicalLine {
  readonly content: string;
  /** First and last natural line, from 1. */
  readonly line: number;
  readonly lastLine: number;
}

/** Joins continued lines; drops blank lines and comments. */
function logicalLines(text: string): LogicalLine[] {
  const joined: LogicalLine[] = [];
  let pending: { content: string; readonly line: number; lastLine: number } | null = null;
  for (const [index, natural] of text.split(LINE_END).entries()) {
    const content = natural.replace(/^[ \t\f]+/, '');
    if (
      pending === null &&
      (content === '' || content.startsWith('#') || content.startsWith('!'))
    ) {
      continue;
    }
    pending ??= { content: '', line: index + 1, lastLine: 0 };
    pending.lastLine = index + 1;
    const continued = endsInOddBackslashes(content);
    pending.content += continued ? content.slice(0, -1) : content;
    if (continued) continue;
    joined.push(pending);
    pending = null;
  }
  if (pending !== null) joined.push(pending);
  return joined;
}

function endsInOddBackslashes(content: string): boolean {
  const backslashes = /\\*$/.exec(content)?.[0].length ?? 0;
  return backslashes % 2 === 1;
}

const ESCAPED: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', f: '\f' };

function unescaped(raw: string, line: number): string {
  return raw.replace(/\\(u.{0,4}|[\s\S]?)/g, (whole, rest: string) => {
    if (!rest.startsWith('u')) return ESCAPED[rest] ?? rest;
    if (!/^u[0-9A-Fa-f]{4}$/.test(rest)) {
      throw new PropertiesError(line, `malformed escape ${whole}: \\u needs four hex digits`);
    }
    return String.fromCharCode(Number.parseInt(rest.slice(1), 16));
  });
}

function escaped(text: string, special: RegExp): string {
  return text.replace(special, (character) => {
    const letter = Object.keys(ESCAPED).find((name) => ESCAPED[name] === character);
    return `\\${letter ?? character}`;
  });
}
