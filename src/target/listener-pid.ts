/**
 * Which process listens at a local address: its CPU and memory belong into a report too.
 *
 * Linux tells the inode of the listening socket in /proc/net/tcp and tcp6, and which process holds
 * it in /proc/PID/fd. Elsewhere, and for processes of other users, the answer is null.
 *
 * Members at 127.0.0.1, 127.0.0.2, … may share one port, so who listens at the very address comes
 * before who listens at all of them.
 *
 * @source proc(5), /proc/net/tcp: local address in words of 32 bits in host byte order, state 0A is LISTEN
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { type Address, parseAddress, plainHost } from '../net/address.js';

const LISTEN = '0A';
const ANYWHERE = ['0'.repeat(8), '0'.repeat(32)];
/** Before an IPv4 address that a socket for both families listens at: `::ffff:`. */
const MAPPED = '0000000000000000FFFF0000';

/** Whether a `host:port` is of this machine, as far as its text tells. */
export function isLocal(address: string): boolean {
  const host = parseAddress(address)?.host ?? '';
  if (/^127\.|^localhost$/.test(host)) return true;
  return Object.values(networkInterfaces()).some((own) => own?.some((at) => at.address === host));
}

/** The process that listens at `address`; null when it is not on this machine, or not to be seen. */
export function listenerPid(address: string): number | null {
  const at = parseAddress(address);
  if (at === null || !isLocal(address)) return null;
  const tables = textOf('/proc/net/tcp') + textOf('/proc/net/tcp6');
  const inodes = new Set(listeningInodes(tables, at));
  if (inodes.size === 0) return null;
  const holders = namesIn('/proc').filter((name) => /^\d+$/.test(name));
  const pid = holders.find((holder) =>
    namesIn(`/proc/${holder}/fd`).some((fd) => {
      const inode = /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${holder}/fd/${fd}`))?.[1];
      return inode !== undefined && inodes.has(inode);
    }),
  );
  return pid === undefined ? null : Number(pid);
}

/**
 * The inodes of sockets that listen at an address, in the text of /proc/net/tcp and tcp6: those
 * bound to it; where there are none, those bound to all addresses.
 */
export function listeningInodes(tables: string, { host, port }: Address): string[] {
  const listeners = tables.split('\n').flatMap((line) => {
    const [, local = '', , state, , , , , , inode] = line.trim().split(/\s+/);
    const [at = '', listened = ''] = local.split(':');
    const isWanted = state === LISTEN && Number.parseInt(listened, 16) === port;
    return isWanted && inode !== undefined ? [{ at, inode }] : [];
  });
  const of = (places: readonly string[]): string[] =>
    listeners.filter(({ at }) => places.includes(at)).map(({ inode }) => inode);
  const own = of(placesOf(host));
  return own.length > 0 ? own : of(ANYWHERE);
}

/** A host as /proc writes it, of either family. */
function placesOf(host: string): string[] {
  if (host === 'localhost') return [...placesOf('127.0.0.1'), ...placesOf('::1')];
  const ipv4 = plainHost(host).split('.').map(Number);
  if (ipv4.length === 4) {
    const word = hexOf(ipv4.reverse());
    return [word, MAPPED + word];
  }
  return [ipv6Words(host)];
}

/** Each of the four words with its bytes turned round. */
function ipv6Words(host: string): string {
  const [head = [], tail = []] = host
    .split('::')
    .map((part) => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16))));
  const between = Array<number>(Math.max(0, 8 - head.length - tail.length)).fill(0);
  const bytes = [...head, ...between, ...tail].flatMap((group) => [group >> 8, group & 0xff]);
  return [0, 4, 8, 12].map((at) => hexOf(bytes.slice(at, at + 4).reverse())).join('');
}

const hexOf = (bytes: readonly number[]): string =>
  bytes.map((byte) => byte.toString(16).padStart(2, '0').toUpperCase()).join('');

/** Processes come and go while we look: what cannot be read is not there. */
function unlessGone<Value>(read: () => Value, otherwise: Value): Value {
  try {
    return read();
  } catch {
    return otherwise;
  }
}

const textOf = (file: string): string => unlessGone(() => readFileSync(file, 'latin1'), '');
const linkOf = (file: string): string => unlessGone(() => readlinkSync(file), '');
const namesIn = (directory: string): string[] => unlessGone(() => readdirSync(directory), []);
