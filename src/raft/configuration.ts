/**
 * Who belongs to the group: reading a configuration, and its bytes in an entry's body.
 *
 * ```
 * u16 members, then each: u8 role (0 voter, 1 learner), u8 length, id, u16 length, address
 * ```
 *
 * Big endian, UTF-8, members in order of id, so equal configurations have equal bytes.
 */
import type { Configuration, GroupMember, MemberId } from './types.js';

export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
  readonly code = 'CONFIGURATION_DAMAGED';
}

export const votersOf = (configuration: Configuration): readonly MemberId[] =>
  configuration.filter(({ role }) => role === 'voter').map(({ id }) => id);

export const memberOf = (configuration: Configuration, id: MemberId): GroupMember | undefined =>
  configuration.find((member) => member.id === id);

/** In order of id, as every configuration must be. */
export const configurationOf = (members: readonly GroupMember[]): Configuration =>
  [...members].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));

/** A group of voters that are told apart by their ids alone: for tests and cores without a network. */
export const votersOnly = (ids: readonly MemberId[]): Configuration =>
  configurationOf(ids.map((id) => ({ id, address: '', role: 'voter' })));

export function encodeConfiguration(configuration: Configuration): Uint8Array {
  const encoder = new TextEncoder();
  const members = configuration.map(({ id, address, role }) => ({
    role,
    id: encoder.encode(id),
    address: encoder.encode(address),
  }));
  const bytes = members.reduce((sum, { id, address }) => sum + 4 + id.length + address.length, 2);
  const body = new Uint8Array(bytes);
  const view = new DataView(body.buffer);
  view.setUint16(0, members.length);
  let at = 2;
  for (const { role, id, address } of members) {
    view.setUint8(at, role === 'voter' ? 0 : 1);
    view.setUint8(at + 1, id.length);
    body.set(id, at + 2);
    at += 2 + id.length;
    view.setUint16(at, address.length);
    body.set(address, at + 2);
    at += 2 + address.length;
  }
  return body;
}

/** @throws {ConfigurationError} for bytes that `encodeConfiguration` did not make. */
export function decodeConfiguration(body: Uint8Array): Configuration {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const members: GroupMember[] = [];
  try {
    const count = view.getUint16(0);
    let at = 2;
    const text = (length: number): string => {
      if (at + length > body.length) throw new RangeError('cut short');
      at += length;
      return decoder.decode(body.subarray(at - length, at));
    };
    for (let i = 0; i < count; i += 1) {
      const role = view.getUint8(at);
      const idLength = view.getUint8(at + 1);
      at += 2;
      const id = text(idLength);
      const addressLength = view.getUint16(at);
      at += 2;
      members.push({ id, address: text(addressLength), role: role === 0 ? 'voter' : 'learner' });
    }
    if (at !== body.length) throw new RangeError(`${body.length - at} bytes left over`);
  } catch (error) {
    throw new ConfigurationError(`a configuration entry is damaged: ${String(error)}`);
  }
  return members;
}
