/**
 * Which process listens at a local address: its CPU and memory belong into a report too.
 *
 * Linux tells the inode of the listening socket in /proc/net/tcp and tcp6, and which process holds
 * it in /proc/PID/fd. Elsewhere, and for processes of other users, the answer is null.
 *
 * @source proc(5), /proc/net/tcp: local address in host byte order, state 0A is LISTEN
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { parseAddress } from '../net/address.js';

const LISTEN = '0A';

/** Whether a `host:port` is of this machine, as far as its text tells. */
export function isLocal(address: string): boolean {
  const host = parseAddress(address)?.host ?? '';
  if (/^127\.|^localhost$/.test(host)) return true;
  return Object.values(networkInterfaces()).some((own) => own?.some((at) => at.address === host));
}

/** The process that listens at `address`; null when it is not on this machine, or not to be seen. */
export function listenerPid(address: string): number | null {
  const port = parseAddress(address)?.port;
  if (port === undefined || !isLocal(address)) return null;
  const inodes = new Set(
    ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((table) => listeningInodes(textOf(table), port)),
  );
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

/** The inodes of sockets that listen on `port`, in the text of /proc/net/tcp. */
export function listeningInodes(table: string, port: number): string[] {
  return table.split('\n').flatMap((line) => {
    const [, local = '', , state, , , , , , inode] = line.trim().split(/\s+/);
    const isWanted = state === LISTEN && Number.parseInt(local.split(':')[1] ?? '', 16) === port;
    return isWanted && inode !== undefined ? [inode] : [];
  });
}

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
