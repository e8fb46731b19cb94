/**
 * The disk of one simulated machine. It outlives processes, forgets unsynced bytes when the power
 * goes, and does wrong when told to.
 *
 * Unsynced changes are kept beside the content, so that a power cut can take each of them back,
 * sector by sector. Names are sure only once their directory was synced, as POSIX has it.
 */
import assert from 'node:assert/strict';
import { basename } from 'node:path';
import type { Prng } from '../lib/prng.js';
import type { DirectoryLock } from '../storage/directory-lock.js';
import type { FileSystem, OpenFlags } from '../storage/files.js';
import type { PowerLoss } from './faults.js';
import type { World } from './world.js';

type Change =
  | { readonly kind: 'write'; readonly at: number; readonly bytes: Buffer }
  | { readonly kind: 'truncate'; readonly length: number };

interface Node {
  bytes: Buffer;
  length: number;
  /** What a sync has covered; null when equal to the content. */
  synced: Buffer | null;
  unsynced: Change[];
  /** A sync failed: some of the content was never written and never will be. */
  hasHoles: boolean;
}

type NameChange =
  | { readonly kind: 'add'; readonly name: string; readonly node: Node }
  | { readonly kind: 'remove'; readonly name: string }
  | { readonly kind: 'rename'; readonly from: string; readonly to: string };

const SECTOR_BYTES = 512;
const QUOTA_BYTES = 1 << 30;

export type Corruption = 'bit-flip' | 'misdirected-write' | 'zeroed-sector';

/** What Node's own calls throw. */
function systemError(code: 'ENOSPC' | 'EIO', call: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: simulated, ${call}`), { code });
}

export class SimDisk implements FileSystem {
  readonly #world: World;
  readonly #chance: Prng;
  #names = new Map<string, Node>();
  #syncedNames = new Map<string, Node>();
  #unsyncedNames: NameChange[] = [];
  readonly #open = new Map<number, Node>();
  #nextFile = 3;
  #life = 0;
  /** One way for a sync that does not block. */
  syncMs: number;
  /** No block is to be had. Names and empty files still are, as on ext4 and XFS. */
  isFull = false;
  #syncsToFail = 0;
  #badRead: 'bit-flip' | 'misdirected' | null = null;
  #usedBytes = 0;

  constructor(world: World, chance: Prng, syncMs: number) {
    this.#world = world;
    this.#chance = chance;
    this.syncMs = syncMs;
  }

  // What processes call

  makeDirectory(): void {}

  list(): string[] {
    return [...this.#names.keys()];
  }

  open(path: string, flags: OpenFlags): number {
    const name = basename(path);
    let node = this.#names.get(name);
    if (flags === 'wx+' && node !== undefined) throw new Error(`EEXIST: ${name}`);
    if (flags === 'w' || flags === 'wx+') {
      node = { bytes: Buffer.alloc(0), length: 0, synced: null, unsynced: [], hasHoles: false };
      this.#names.set(name, node);
      this.#unsyncedNames.push({ kind: 'add', name, node });
    }
    if (node === undefined) throw Object.assign(new Error(`ENOENT: ${name}`), { code: 'ENOENT' });
    this.#nextFile += 1;
    this.#open.set(this.#nextFile, node);
    return this.#nextFile;
  }

  size(file: number): number {
    return this.#opened(file).length;
  }

  read(file: number, into: Uint8Array, position: number): number {
    const node = this.#opened(file);
    let from = position;
    const bad = this.#badRead;
    if (bad === 'misdirected' && node.length > SECTOR_BYTES) {
      from = (position + SECTOR_BYTES) % node.length;
      this.#badRead = null;
    }
    const filled = Math.max(0, Math.min(into.length, node.length - from));
    into.set(node.bytes.subarray(from, from + filled));
    if (bad === 'bit-flip' && filled > 0) {
      const at = this.#chance.between(0, filled - 1);
      into[at] = (into[at] as number) ^ (1 << this.#chance.between(0, 7));
      this.#badRead = null;
    }
    return filled;
  }

  write(file: number, from: Uint8Array, length: number, at: number): void {
    const node = this.#opened(file);
    if (this.isFull && at + length > node.length) throw systemError('ENOSPC', 'write');
    this.#change(node, { kind: 'write', at, bytes: Buffer.from(from.subarray(0, length)) });
  }

  truncate(file: number, length: number): void {
    this.#change(this.#opened(file), { kind: 'truncate', length });
  }

  sync(file: number): void {
    const node = this.#opened(file);
    if (this.#failsNow()) {
      forget(node);
      throw systemError('EIO', 'fdatasync');
    }
    settle(node);
  }

  syncSoon(file: number, done: (error: Error | null) => void): void {
    const node = this.#opened(file);
    const life = this.#life;
    const covered = node.unsynced.length;
    this.#world.after(this.syncMs * (0.5 + this.#chance.unit()), () => {
      if (life !== this.#life) return; // Its process is gone.
      if (this.#failsNow()) {
        // As on ext4: the pages are marked clean, and what they held never reaches the disk.
        forget(node);
        done(systemError('EIO', 'fdatasync'));
        return;
      }
      if (covered >= node.unsynced.length) settle(node);
      else settleSome(node, covered);
      done(null);
    });
  }

  syncDirectory(): void {
    this.#syncedNames = new Map(this.#names);
    this.#unsyncedNames = [];
  }

  rename(from: string, to: string): void {
    this.#changeName({ kind: 'rename', from: basename(from), to: basename(to) });
  }

  remove(path: string): void {
    this.#changeName({ kind: 'remove', name: basename(path) });
  }

  close(file: number): void {
    this.#open.delete(file);
  }

  freeBytes(): number {
    return this.isFull ? 0 : Math.max(0, QUOTA_BYTES - this.#usedBytes);
  }

  /** One process at a time, by construction: nobody else is told apart here. */
  lock(): DirectoryLock {
    return { release: () => {} };
  }

  // What happens to a machine

  /** The process is gone: its files are closed, the page cache stays. */
  processEnded(): void {
    this.#life += 1;
    this.#open.clear();
  }

  /** The machine is gone: unsynced bytes and names go with it, all of them or those that chance takes. */
  powerLost(survives: PowerLoss): void {
    this.processEnded();
    const names = new Map(this.#syncedNames);
    for (const change of this.#unsyncedNames) {
      if (survives === 'torn' && this.#chance.chance(0.5)) applyName(names, change);
    }
    this.#names = names;
    this.#syncedNames = new Map(names);
    this.#unsyncedNames = [];
    for (const node of names.values()) {
      if (node.synced === null) continue;
      let content = node.synced;
      if (survives === 'torn') {
        for (const change of node.unsynced) content = this.#surviving(content, change);
      }
      node.bytes = Buffer.from(content);
      node.length = content.length;
      node.synced = null;
      node.unsynced = [];
      node.hasHoles = false;
    }
  }

  /** A new disk in the same machine. */
  wipe(): void {
    this.processEnded();
    this.#names = new Map();
    this.#syncedNames = new Map();
    this.#unsyncedNames = [];
  }

  failNextSync(): void {
    this.#syncsToFail += 1;
  }

  /** Faults that have not struck yet will not. */
  mend(): void {
    this.#syncsToFail = 0;
    this.#badRead = null;
  }

  badRead(how: 'bit-flip' | 'misdirected'): void {
    this.#badRead = how;
  }

  /**
   * Changes bytes of a file, also under a process that has it open.
   *
   * @param reach how many bytes of a file may change, from its beginning, by what of it is synced; 0: none
   * @returns what was changed, or null when there is nothing to change.
   */
  corrupt(how: Corruption, reach: (name: string, content: Buffer) => number): string | null {
    const files = [...this.#names]
      .map(([name, node]) => ({
        ...{ name, node },
        end: Math.min(node.length, reach(name, onDisk(node))),
      }))
      .filter(({ end }) => end > 0);
    if (files.length === 0) return null;
    const { end, name, node } = this.#chance.pick(files);
    const at = this.#chance.between(0, end - 1);
    const sector = at - (at % SECTOR_BYTES);
    switch (how) {
      case 'bit-flip': {
        const flipped = (node.bytes[at] as number) ^ (1 << this.#chance.between(0, 7));
        damage(node, at, Buffer.of(flipped));
        break;
      }
      case 'zeroed-sector':
        damage(node, sector, Buffer.alloc(Math.min(end, sector + SECTOR_BYTES) - sector));
        break;
      case 'misdirected-write': {
        const from = this.#chance.between(0, node.length - 1);
        const length = Math.min(SECTOR_BYTES, end - at, node.length - from);
        damage(node, at, Buffer.from(node.bytes.subarray(from, from + length)));
        break;
      }
    }
    return `${name} at byte ${at}`;
  }

  #failsNow(): boolean {
    if (this.#syncsToFail === 0) return false;
    this.#syncsToFail -= 1;
    return true;
  }

  #opened(file: number): Node {
    const node = this.#open.get(file);
    assert(node !== undefined, `file ${file} is not open`);
    return node;
  }

  #change(node: Node, change: Change): void {
    node.synced ??= Buffer.from(node.bytes.subarray(0, node.length));
    node.unsynced.push(change);
    const before = node.length;
    applyChange(node, change);
    this.#usedBytes += node.length - before;
  }

  #changeName(change: NameChange): void {
    applyName(this.#names, change);
    this.#unsyncedNames.push(change);
  }

  #surviving(content: Buffer, change: Change): Buffer {
    if (change.kind === 'truncate') {
      return this.#chance.chance(0.5) ? content.subarray(0, change.length) : content;
    }
    const end = change.at + change.bytes.length;
    let left = content;
    const grow = (length: number): void => {
      if (length <= left.length) return;
      const grown = Buffer.alloc(length);
      left.copy(grown);
      left = grown;
    };
    left = Buffer.from(left);
    // The length may be on disk before the bytes, and of the bytes some sectors before others.
    if (this.#chance.chance(0.5)) grow(end);
    for (let from = 0; from < change.bytes.length; ) {
      const inSector = (change.at + from) % SECTOR_BYTES;
      const to = Math.min(change.bytes.length, from + SECTOR_BYTES - inSector);
      if (this.#chance.chance(0.5)) {
        grow(change.at + to);
        change.bytes.copy(left, change.at + from, from, to);
      }
      from = to;
    }
    return left;
  }
}

function applyChange(node: Node, change: Change): void {
  if (change.kind === 'truncate') {
    node.length = change.length;
    return;
  }
  const end = change.at + change.bytes.length;
  if (end > node.bytes.length) {
    const grown = Buffer.alloc(Math.max(end, node.bytes.length * 2, 1_024));
    node.bytes.copy(grown, 0, 0, node.length);
    node.bytes = grown;
  }
  if (change.at > node.length) node.bytes.fill(0, node.length, change.at);
  change.bytes.copy(node.bytes, change.at);
  node.length = Math.max(node.length, end);
}

function settle(node: Node): void {
  if (node.hasHoles) {
    settleSome(node, node.unsynced.length);
    return;
  }
  node.synced = null;
  node.unsynced = [];
}

/** The first changes are on disk; later ones are not yet. */
function settleSome(node: Node, count: number): void {
  const base: Node = {
    bytes: Buffer.from(onDisk(node)),
    length: node.synced?.length ?? node.length,
    synced: null,
    unsynced: [],
    hasHoles: false,
  };
  for (const change of node.unsynced.splice(0, count)) applyChange(base, change);
  node.synced = base.bytes.subarray(0, base.length);
}

/** What a power cut would leave for sure. */
function onDisk({ bytes, length, synced }: Node): Buffer {
  return synced ?? bytes.subarray(0, length);
}

/** Both on the disk and in the page cache, where no process asked for it. */
function damage(node: Node, at: number, bytes: Buffer): void {
  bytes.copy(node.bytes, at);
  if (node.synced !== null) bytes.copy(node.synced, at);
}

/** The page cache still shows what a failed sync did not write; the disk never will. */
function forget(node: Node): void {
  node.hasHoles = node.unsynced.length > 0;
  node.unsynced = [];
}

function applyName(names: Map<string, Node>, change: NameChange): void {
  if (change.kind === 'add') {
    names.set(change.name, change.node);
    return;
  }
  if (change.kind === 'remove') {
    names.delete(change.name);
    return;
  }
  const node = names.get(change.from);
  names.delete(change.from);
  if (node !== undefined) names.set(change.to, node);
}
