/**
 * Writing JSON text straight, for the frames that are written a hundred thousand times a second.
 */

/** `text` as a JSON string, quotes included; well-formed for any UTF-16, lone surrogates too. */
export function jsonString(text: string): string {
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    if (unit < 0x20 || unit > 0x7e || unit === 0x22 || unit === 0x5c) return JSON.stringify(text);
  }
  return `"${text}"`;
}

export type ExtFieldValue = string | number | bigint | boolean | null | undefined;

/** Named parameters as a JSON object of strings; null and undefined ones are left out. */
export function extFieldsJson(fields: Readonly<Record<string, ExtFieldValue>>): string {
  let json = '';
  for (const name in fields) {
    const value = fields[name];
    if (value === undefined || value === null) continue;
    json += json === '' ? '{' : ',';
    json += `${jsonString(name)}:`;
    json += typeof value === 'string' ? jsonString(value) : `"${value}"`;
  }
  return json === '' ? '{}' : `${json}}`;
}
