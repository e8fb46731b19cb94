/**
 * The PROXY header that a load balancer may put before a connection's bytes, versions 1 (text) and
 * 2 (binary).
 *
 * It says for whom the balancer connects. Anybody can write one, so what it claims is only shown in
 * logs: limits, and who counts as a member, go by the address that the connection really comes from.
 *
 * Pure. No frame begins as a header does: it would be longer than any frame may be.
 *
 * @source haproxy proxy-protocol.txt, sections 2.1 and 2.2
 */
import { isIP } from 'node:net';

export type ProxyHeader =
  | { readonly kind: 'none' }
  /** So far it looks like one. */
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'malformed'; readonly reason: string }
  /** @property bytes its length; @property client `host:port` as claimed, null when it claims nobody. */
  | { readonly kind: 'header'; readonly bytes: number; readonly client: string | null };

/** With its line end, as the specification bounds it. */
const TEXT_BYTES_MAX = 107;
const TEXT_START = Buffer.from('PROXY ');
const TEXT_END = Buffer.from('\r\n');
const BINARY_START = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
const BINARY_PREFIX_BYTES = 16;
/** Addresses take 216 bytes at most; the rest is for what balancers add, which is passed over. */
export const proxyHeaderBytesMax = 4_096;

/** @param bytes the first of a connection, as many as have come. */
export function readProxyHeader(bytes: Buffer): ProxyHeader {
  if (bytes[0] === TEXT_START[0]) return readText(bytes);
  if (bytes[0] === BINARY_START[0]) return readBinary(bytes);
  return { kind: 'none' };
}

function readText(bytes: Buffer): ProxyHeader {
  if (!startsLike(bytes, TEXT_START)) return malformed('it does not begin with "PROXY "');
  const end = bytes.subarray(0, TEXT_BYTES_MAX).indexOf(TEXT_END);
  if (end < 0) {
    return bytes.length < TEXT_BYTES_MAX
      ? { kind: 'incomplete' }
      : malformed(`no line end in ${TEXT_BYTES_MAX} bytes`);
  }
  const read = end + TEXT_END.length;
  const [family, source = '', destination = '', ...ports] = bytes
    .toString('latin1', TEXT_START.length, end)
    .split(' ');
  if (family === 'UNKNOWN') return { kind: 'header', bytes: read, client: null };
  const version = family === 'TCP4' ? 4 : family === 'TCP6' ? 6 : null;
  if (version === null) return malformed('its family is none of TCP4, TCP6 and UNKNOWN');
  if (isIP(source) !== version || isIP(destination) !== version) {
    return malformed(`its addresses are not of ${family}`);
  }
  if (ports.length !== 2 || !ports.every(isPort)) return malformed('it needs two ports');
  return { kind: 'header', bytes: read, client: `${source}:${ports[0]}` };
}

function readBinary(bytes: Buffer): ProxyHeader {
  if (!startsLike(bytes, BINARY_START)) return malformed('its signature is wrong');
  if (bytes.length < BINARY_PREFIX_BYTES) return { kind: 'incomplete' };
  const command = bytes.readUInt8(12);
  const family = bytes.readUInt8(13);
  const end = BINARY_PREFIX_BYTES + bytes.readUInt16BE(14);
  if (command >> 4 !== 2 || (command & 0xf) > 1) return malformed('neither LOCAL nor PROXY');
  if (end > proxyHeaderBytesMax) {
    return malformed(`${end} bytes, at most ${proxyHeaderBytesMax}`);
  }
  const addressBytes = ADDRESS_BYTES[family >> 4];
  if (addressBytes === undefined) return malformed('its address family is unknown');
  const isLocal = (command & 0xf) === 0;
  if (!isLocal && end < BINARY_PREFIX_BYTES + addressBytes) {
    return malformed('too short for its addresses');
  }
  if (bytes.length < end) return { kind: 'incomplete' };
  const client = isLocal ? null : binaryClient(bytes.subarray(BINARY_PREFIX_BYTES), family >> 4);
  return { kind: 'header', bytes: end, client };
}

/** Source, destination and both ports, by family: unspecified, IPv4, IPv6, Unix. */
const ADDRESS_BYTES: readonly number[] = [0, 12, 36, 216];

function binaryClient(addresses: Buffer, family: number): string | null {
  if (family === 1)
    return `${[...addresses.subarray(0, 4)].join('.')}:${addresses.readUInt16BE(8)}`;
  if (family !== 2) return null;
  const groups = Array.from({ length: 8 }, (_, i) => addresses.readUInt16BE(2 * i).toString(16));
  return `[${groups.join(':')}]:${addresses.readUInt16BE(32)}`;
}

function startsLike(bytes: Buffer, start: Buffer): boolean {
  const compared = Math.min(bytes.length, start.length);
  return bytes.subarray(0, compared).equals(start.subarray(0, compared));
}

const isPort = (text: string): boolean => /^\d{1,5}$/.test(text) && Number(text) <= 65_535;

const malformed = (why: string): ProxyHeader => ({
  kind: 'malformed',
  reason: `PROXY header is not acceptable: ${why}`,
});
