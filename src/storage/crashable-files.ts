/**
 * A disk in memory that stops at a chosen call and forgets what was not synced, for tests.
 *
 * It keeps POSIX to the letter, and no file system is as unkind: an unsynced write may survive in
 * part, in any order, or as zeros of the right length; a created, renamed or removed name is only
 * sure once its directory was synced, and of no use before that of each directory above it is.
 */
import assert from 'node:assert/strict';
import { basename, dirname } from 'node:path';
import type { Prng } from '../lib/prng.js';
import type { DirectoryLock } from './directory-lock.js';
import { StoreError } from './errors.js';
import type { FileSystem, OpenFlags } from './files.js';

/** What survives of the unsynced: nothing, everything (only the process died), or what chance leaves. */
export type Survival = 'nothing' | 'everything' | Prng;

type FileChange =
  | { readonly kind: 'write'; readonly at: number; readonly bytes: Buffer }
  | { readonly kind: 'truncate'; readonly length: number };

type NameChange =
  | { readonly kind: 'add'; readonly name: string; readonly node: Node }
  | { readonly kind: 'remove'; readonly name: string }
  | { readonly kind: 'rename'; readonly from: string; readonly to: string };

interface Node {
  /** What reads see. */
  content: Buffer;
  /** What a sync has covered. */
  synced: Buffer;
  unsynced: FileChange[];
}

const SECTOR_BYTES = 512;

export class CrashableFiles implements FileSystem {
  readonly #names = new Map<string, Node>();
  #syncedNames = new Map<string, Node>();
  #unsyncedNames: NameChange[] = [];
  /** Those above the files, and whether the name of each is sure. */
  readonly #directories = new Map([['.', true]]);
  readonly #open = new Map<number, Node>();
  #nextFile = 3;
  #isLocked = false;
  #isCrashed = false;
  #resolveCrashed: () => void = () => {};
  readonly crashed = new Promise<void>((resolve) => {
    this.#resolveCrashed = resolve;
  });
  /** Calls that change something, so far. */
  calls = 0;
  /** The call, counted from 1, before which the machine stops. */
  crashAt = Number.POSITIVE_INFINITY;
  /** Consulted on each changing call: the error that it is to fail with. */
  failWith: (call: string) => Error | undefined = () => undefined;
  /** Hold back the ends of `syncSoon` until `endSync`. */
  holdSyncs = false;
  readonly #syncsHeld: (() => void)[] = [];

  get syncsHeld(): number {
    return this.#syncsHeld.length;
  }

  endSync(): void {
    const end = this.#syncsHeld.shift();
    assert(end !== undefined, 'no sync runs');
    end();
  }

  /** The disk as the machine finds it when it starts again. */
  crash(survival: Survival): CrashableFiles {
    this.#stop();
    const after = new CrashableFiles();
    const names = new Map(this.#syncedNames);
    for (const change of this.#unsyncedNames) if (survives(survival)) applyName(names, change);
    for (const [name, node] of names) {
      let content = node.synced;
      for (const change of node.unsynced) content = surviving(content, change, survival);
      after.#names.set(name, { content, synced: content, unsynced: [] });
    }
    let isReached = true;
    for (const [path, isSure] of this.#directories) {
      isReached &&= isSure || survives(survival);
      if (isReached) after.#directories.set(path, true);
    }
    if (!isReached) after.#names.clear();
    after.#syncedNames = new Map(after.#names);
    return after;
  }

  /** For damage: the bytes of a file, which the test may change and put back by `damage`. */
  content(name: string): Buffer {
    return Buffer.from(this.#node(name).content);
  }

  damage(name: string, content: Buffer): void {
    const node = this.#node(name);
    node.content = content;
    node.synced = content;
  }

  /** One below the other. */
  makeDirectory(path: string): void {
    this.#alive();
    if (this.#directories.has(path)) return;
    if (!this.#directories.has(dirname(path))) {
      throw Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' });
    }
    this.#call(`make ${path}`);
    this.#directories.set(path, false);
  }

  list(): string[] {
    this.#alive();
    return [...this.#names.keys()];
  }

  open(path: string, flags: OpenFlags): number {
    this.#alive();
    const name = basename(path);
    let node = this.#names.get(name);
    if (flags === 'wx+') assert(node === undefined, `${name} exists`);
    if (flags === 'w' || flags === 'wx+') {
      this.#call(`create ${name}`);
      node = { content: Buffer.alloc(0), synced: Buffer.alloc(0), unsynced: [] };
      this.#names.set(name, node);
      this.#unsyncedNames.push({ kind: 'add', name, node });
    }
    assert(node !== undefined, `${name} does not exist`);
    this.#nextFile += 1;
    this.#open.set(this.#nextFile, node);
    return this.#nextFile;
  }

  size(file: number): number {
    return this.#opened(file).content.length;
  }

  read(file: number, into: Uint8Array, position: number): number {
    const { content } = this.#opened(file);
    const bytes = content.subarray(position, position + into.length);
    into.set(bytes);
    return bytes.length;
  }

  write(file: number, from: Uint8Array, length: number, at: number): void {
    const node = this.#opened(file);
    this.#call('write');
    this.#change(node, { kind: 'write', at, bytes: Buffer.from(from.subarray(0, length)) });
  }

  truncate(file: number, length: number): void {
    const node = this.#opened(file);
    this.#call('truncate');
    this.#change(node, { kind: 'truncate', length });
  }

  sync(file: number): void {
    const node = this.#opened(file);
    this.#call('sync');
    settle(node, node.unsynced.length);
  }

  syncSoon(file: number, done: (error: Error | null) => void): void {
    if (!this.#countsOn()) return; // Its end is never heard of.
    const node = this.#opened(file);
    const covered = node.unsynced.slice();
    const end = (): void => {
      if (this.#isCrashed) return;
      let failure: Error | null = null;
      try {
        this.#call('sync ends');
        settle(node, covered.filter((change) => node.unsynced.includes(change)).length);
      } catch (error) {
        failure = error instanceof Error ? error : new Error(String(error));
      }
      if (!this.#isCrashed) done(failure);
    };
    if (this.holdSyncs) this.#syncsHeld.push(end);
    else setImmediate(end);
  }

  syncDirectory(path: string): void {
    this.#call('sync directory');
    for (const made of this.#directories.keys()) {
      if (dirname(made) === path) this.#directories.set(made, true);
    }
    this.#syncedNames = new Map(this.#names);
    this.#unsyncedNames = [];
  }

  rename(from: string, to: string): void {
    this.#call('rename');
    this.#changeName({ kind: 'rename', from: basename(from), to: basename(to) });
  }

  remove(path: string): void {
    this.#call('remove');
    this.#changeName({ kind: 'remove', name: basename(path) });
  }

  freeBytes(): number {
    return Number.MAX_SAFE_INTEGER;
  }

  close(file: number): void {
    assert(this.#open.delete(file), 'closed twice');
  }

  lock(directory: string): DirectoryLock {
    if (this.#isLocked) throw new StoreError('STORE_LOCKED', `${directory} is locked`);
    this.#isLocked = true;
    return {
      release: () => {
        this.#isLocked = false;
      },
    };
  }

  /** False when the machine stops before the call that is due. */
  #countsOn(): boolean {
    this.calls += 1;
    if (this.calls === this.crashAt) this.#stop();
    return !this.#isCrashed;
  }

  #call(what: string): void {
    this.#countsOn();
    this.#alive();
    const failure = this.failWith(what);
    if (failure !== undefined) throw failure;
  }

  #alive(): void {
    if (this.#isCrashed) throw new Error('the machine has stopped');
  }

  #stop(): void {
    this.#isCrashed = true;
    this.#resolveCrashed();
  }

  #opened(file: number): Node {
    this.#alive();
    const node = this.#open.get(file);
    assert(node !== undefined, `file ${file} is not open`);
    return node;
  }

  #node(name: string): Node {
    const node = this.#names.get(name);
    assert(node !== undefined, `${name} does not exist`);
    return node;
  }

  #change(node: Node, change: FileChange): void {
    node.content = apply(node.content, change);
    node.unsynced.push(change);
  }

  #changeName(change: NameChange): void {
    applyName(this.#names, change);
    this.#unsyncedNames.push(change);
  }
}

function survives(survival: Survival): boolean {
  if (survival === 'nothing' || survival === 'everything') return survival === 'everything';
  return survival.chance(0.5);
}

function settle(node: Node, count: number): void {
  for (const change of node.unsynced.splice(0, count)) node.synced = apply(node.synced, change);
}

function apply(content: Buffer, change: FileChange): Buffer {
  if (change.kind === 'truncate') return Buffer.from(content.subarray(0, change.length));
  const length = Math.max(content.length, change.at + change.bytes.length);
  const changed = Buffer.alloc(length);
  content.copy(changed);
  change.bytes.copy(changed, change.at);
  return changed;
}

function surviving(content: Buffer, change: FileChange, survival: Survival): Buffer {
  if (survival === 'nothing') return content;
  if (survival === 'everything') return apply(content, change);
  if (change.kind === 'truncate') return survives(survival) ? apply(content, change) : content;
  // The length may be on disk before the bytes, and of the bytes some sectors before others.
  let left = content;
  if (survives(survival)) {
    const grown = Buffer.alloc(Math.max(content.length, change.at + change.bytes.length));
    content.copy(grown);
    left = grown;
  }
  for (let from = 0; from < change.bytes.length; ) {
    const to = Math.min(
      change.bytes.length,
      from + SECTOR_BYTES - ((change.at + from) % SECTOR_BYTES),
    );
    const bytes = change.bytes.subarray(from, to);
    if (survives(survival)) left = apply(left, { kind: 'write', at: change.at + from, bytes });
    from = to;
  }
  return left;
}

function applyName(names: Map<string, Node>, change: NameChange): void {
  switch (change.kind) {
    case 'add':
      names.set(change.name, change.node);
      return;
    case 'remove':
      names.delete(change.name);
      return;
    case 'rename': {
      const node = names.get(change.from);
      names.delete(change.from);
      if (node !== undefined) names.set(change.to, node);
      return;
    }
  }
}
