/**
 * Writing JSON text straight, for the frames that are written a hundred thousand times a second.
 */

import { jsonString } from '../lib/json-text.js';

export type ExtFieldValue = string | number | bigint | boolean | null | undefined;

/** Named parameters as a JSON object of strings; null and undefined ones are left out. */
export function extFieldsJson(fields: Readonly<Record<string, ExtFieldValue>>): string {
  let json = '';
  for (const name in fields) {
    const value = fields[name];
    if (value === undefined || value === null) continue;
    const text = typeof value === 'string' ? jsonString(value) : `"${value}"`;
    json += (json === '' ? '{' : ',') + nameJson(name) + text;
  }
  return json === '' ? '{}' : `${json}}`;
}

/** `"name":` of every name seen so far: the protocol has a few dozen. */
const names = new Map<string, string>();
const NAMES_MAX = 1_000;

function nameJson(name: string): string {
  let json = names.get(name);
  if (json === undefined) {
    json = `${jsonString(name)}:`;
    if (names.size < NAMES_MAX) names.set(name, json);
  }
  return json;
}
