/**
 * JSON written by concatenation, for replies that are built many times a second.
 *
 * `JSON.stringify` of an object costs several times what the text costs, and it cannot promise an
 * order of keys to a reader. What is left to get right is the escaping of strings.
 */

const SPACE = 0x20;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SURROGATE_MIN = 0xd800;
const SURROGATE_MAX = 0xdfff;

/**
 * @returns `text` as a JSON string, quotes included. Text without anything to escape is not
 *   copied through a serialiser; a lone surrogate is escaped, so that the result is valid UTF-8.
 */
export function jsonString(text: string): string {
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    if (
      unit < SPACE ||
      unit === QUOTE ||
      unit === BACKSLASH ||
      (unit >= SURROGATE_MIN && unit <= SURROGATE_MAX)
    ) {
      return JSON.stringify(text);
    }
  }
  return `"${text}"`;
}
