/**
 * Java's reading of decimal text: an optional sign and ASCII digits, nothing else, in range.
 *
 * Upstream swallows bad numbers, so these answer null rather than throw.
 *
 * @source java.lang.Integer.parseInt, Long.parseLong
 */

const INT_MAX = 0x7fff_ffff;
const LONG_MAX = 2n ** 63n - 1n;

/** null unless `text` is a 32-bit signed integer. */
export function parseJavaInt(text: string | null | undefined): number | null {
  const value = digits(text);
  return value !== null && value <= INT_MAX && value >= -INT_MAX - 1 ? value : null;
}

/**
 * null unless `text` is an integer that a JavaScript number holds exactly. Java's longs go further;
 * an identity beyond 2^53 is refused rather than confused with its neighbour.
 */
export function parseJavaLong(text: string | null | undefined): number | null {
  const value = digits(text);
  return value !== null && Number.isSafeInteger(value) ? value : null;
}

/** For offsets: any long, as a number where that holds it exactly and as a bigint beyond. */
export function parseJavaLongExact(text: string | null | undefined): number | bigint | null {
  const value = digits(text);
  if (value === null || Number.isSafeInteger(value)) return value;
  const exact = BigInt(text as string);
  return exact <= LONG_MAX && exact >= -LONG_MAX - 1n ? exact : null;
}

/** For times: any long, rounded to the nearest double. */
export function parseJavaLongRounded(text: string | null | undefined): number | null {
  const value = parseJavaLongExact(text);
  return typeof value === 'bigint' ? Number(value) : value;
}

/** @source java.lang.Boolean.parseBoolean */
export const parseJavaBoolean = (text: string | undefined): boolean =>
  text === 'true' || (text !== undefined && text.toLowerCase() === 'true');

function digits(text: string | null | undefined): number | null {
  if (text === null || text === undefined) return null;
  const first = text.charCodeAt(0);
  const isSigned = first === 0x2d || first === 0x2b;
  const start = isSigned ? 1 : 0;
  if (text.length === start || text.length > LONG_TEXT_MAX) return null;
  let value = 0;
  for (let i = start; i < text.length; i += 1) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return null;
    value = value * 10 + digit;
  }
  return first === 0x2d ? 0 - value : value;
}

/** Leading zeros are legal in Java, but not this many: the bound keeps BigInt cheap. */
const LONG_TEXT_MAX = 64;
