/** What a store makes of a directory that a crash, or something worse, has left. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import { logIndex, type Term, term } from '../lib/brand.js';
import { type Clock, systemClock } from '../lib/clock.js';
import { silent } from '../lib/logger.js';
import { Prng } from '../lib/prng.js';
import { votersOnly } from '../raft/configuration.js';
import type { Entry, HardState } from '../raft/types.js';
import { appended, entry, run, show } from './conformance.js';
import { CrashableFiles, type Survival } from './crashable-files.js';
import { type FileStoreOptions, openFileStore } from './file-store.js';
import type { Durability, LogStore } from './log-store.js';

const FIRST_SEGMENT = '00000000000000000001.log';
const HEADER = 24;
const RECORD = 24 + 20;

const options = (files: CrashableFiles, extra: Partial<FileStoreOptions> = {}) => ({
  directory: 'log',
  durability: 'group' as Durability,
  logger: silent,
  files,
  ...extra,
});

/** A disk with `count` entries, each synced before the next was written. */
async function diskOf(count: number, extra: Partial<FileStoreOptions> = {}) {
  const files = new CrashableFiles();
  const store = openFileStore(options(files, extra));
  for (let i = 1; i <= count; i += 1) await appended(store, [entry(i)]);
  await store.close();
  return files;
}

const indexes = (count: number): string =>
  run(1, count)
    .map(({ index }) => `${index}@1`)
    .join(' ');

test('cut at every byte of the last three records, a log ends with the record before the cut', async () => {
  const files = await diskOf(6);
  const whole = files.content(FIRST_SEGMENT);
  assert.equal(whole.length, HEADER + 6 * RECORD);
  for (let length = HEADER + 3 * RECORD; length <= whole.length; length += 1) {
    const cut = files.crash('nothing');
    cut.damage(FIRST_SEGMENT, whole.subarray(0, length));
    const left = Math.floor((length - HEADER) / RECORD);

    const store = openFileStore(options(cut));
    assert.equal(show(store), indexes(left), `cut to ${length} bytes`);
    assert.equal(cut.content(FIRST_SEGMENT).length, HEADER + left * RECORD);
    await appended(store, [entry(left + 1)]);
    await store.close();
    assert.equal(show(openFileStore(options(cut))), indexes(left + 1));
  }
});

test('with any byte of the last record flipped, the log ends before it', async () => {
  const files = await diskOf(6);
  const whole = files.content(FIRST_SEGMENT);
  for (let at = HEADER + 5 * RECORD; at < whole.length; at += 1) {
    const flipped = files.crash('nothing');
    flipped.damage(FIRST_SEGMENT, withFlip(whole, at));
    const store = openFileStore(options(flipped));
    assert.equal(show(store), indexes(5), `byte ${at} flipped`);
    await appended(store, [entry(6)]);
    await store.close();
    assert.equal(show(openFileStore(options(flipped))), indexes(6));
  }
});

test('with any byte of an earlier synced record flipped, the store refuses and names the place', async () => {
  const files = await diskOf(6);
  const whole = files.content(FIRST_SEGMENT);
  for (let at = HEADER + 3 * RECORD; at < HEADER + 5 * RECORD; at += 1) {
    const flipped = files.crash('nothing');
    flipped.damage(FIRST_SEGMENT, withFlip(whole, at));
    const record = Math.floor((at - HEADER) / RECORD);
    assert.throws(() => openFileStore(options(flipped)), {
      code: 'STORE_CORRUPT',
      message: new RegExp(
        `^log/${FIRST_SEGMENT}: at byte ${HEADER + record * RECORD}: the record of entry ${record + 1} is damaged, and entry`,
      ),
    });
    assert.equal(flipped.content(FIRST_SEGMENT).length, whole.length, 'nothing was cut');
  }
});

test('with any byte of the header flipped, the store refuses', async () => {
  const files = await diskOf(2);
  const whole = files.content(FIRST_SEGMENT);
  for (let at = 0; at < HEADER; at += 1) {
    const flipped = files.crash('nothing');
    flipped.damage(FIRST_SEGMENT, withFlip(whole, at));
    assert.throws(() => openFileStore(options(flipped)), {
      code: 'STORE_CORRUPT',
      message: new RegExp(`^log/${FIRST_SEGMENT}: at byte 0: `),
    });
  }
});

test('a damaged end of any segment but the last is no torn tail', async () => {
  const files = await diskOf(6, { segmentBytesMax: 120 });
  const whole = files.content(FIRST_SEGMENT);
  files.damage(FIRST_SEGMENT, whole.subarray(0, whole.length - 1));
  assert.throws(() => openFileStore(options(files)), {
    code: 'STORE_CORRUPT',
    message: `log/${FIRST_SEGMENT}: at byte ${HEADER + RECORD}: the record of entry 2 is damaged`,
  });
});

test('a missing segment is noticed', async () => {
  const files = await diskOf(6, { segmentBytesMax: 120 });
  files.remove('log/00000000000000000003.log');
  assert.throws(() => openFileStore(options(files)), {
    code: 'STORE_CORRUPT',
    message: /^log\/00000000000000000005\.log: .* begins with entry 3 is missing$/,
  });
});

test('records that are whole but out of place are refused', async () => {
  const files = await diskOf(4);
  const bytes = files.content(FIRST_SEGMENT);
  bytes.copy(bytes, HEADER + RECORD, HEADER + 2 * RECORD, HEADER + 3 * RECORD);
  files.damage(FIRST_SEGMENT, bytes);
  assert.throws(() => openFileStore(options(files)), {
    code: 'STORE_CORRUPT',
    message: /at byte 68: entry 3 of term 1 where entry 2 of term 1 or later belongs$/,
  });
});

test('a power cut takes no directory above a log that was promised to be there', async () => {
  const files = new CrashableFiles();
  const deep = { directory: 'data/n0/log' };
  const store = openFileStore(options(files, deep));
  store.saveHardState({ term: term(3), votedFor: 'n1' });
  await appended(store, run(1, 2));
  const again = openFileStore(options(files.crash('nothing'), deep));
  assert.deepEqual(again.hardState, { term: 3, votedFor: 'n1' });
  assert.equal(show(again), indexes(2));
});

test('a log without its vote is refused: the member may have voted', async () => {
  const files = await diskOf(1);
  files.remove('log/vote');
  assert.throws(() => openFileStore(options(files)), {
    code: 'STORE_CORRUPT',
    message: /^log\/vote: .* must not vote again$/,
  });
});

/** Term and vote, `n2` in term 7, in two copies. */
async function votedDisk(): Promise<CrashableFiles> {
  const files = await diskOf(1);
  const store = openFileStore(options(files));
  store.saveHardState({ term: term(7), votedFor: 'n2' });
  await store.close();
  return files.crash('nothing');
}

const COPY = 4_096;
/** What a copy says; zeros follow. */
const SAID = 60;

test('with any byte of one copy of the vote flipped, the other tells, and the damage is mended', async () => {
  const files = await votedDisk();
  const whole = files.content('vote');
  assert.equal(whole.length, 2 * COPY);
  for (let i = 0; i < 2 * SAID; i += 1) {
    const at = i < SAID ? i : COPY + i - SAID;
    const damaged = files.crash('nothing');
    damaged.damage('vote', withFlip(whole, at));
    const store = openFileStore(options(damaged));
    assert.deepEqual(store.hardState, { term: 7, votedFor: 'n2' }, `byte ${at}`);
    assert.deepEqual(damaged.crash('nothing').content('vote'), whole, `byte ${at}`);
  }
});

test('with both copies of the vote damaged, or the first cut short, the store refuses', async () => {
  const files = await votedDisk();
  const whole = files.content('vote');
  const said = whole.indexOf('\n') + 1;
  for (let at = 0; at < said; at += 1) {
    for (const bytes of [withFlip(withFlip(whole, at), COPY + at), whole.subarray(0, at)]) {
      const damaged = files.crash('nothing');
      damaged.damage('vote', bytes);
      assert.throws(() => openFileStore(options(damaged)), {
        code: 'STORE_CORRUPT',
        message: /^log\/vote: at byte 0: /,
      });
    }
  }
});

test('a vote in one copy, as it used to be kept, is read and kept in two', async () => {
  const files = await votedDisk();
  const whole = files.content('vote');
  files.damage('vote', whole.subarray(0, whole.indexOf('\n') + 1));
  const store = openFileStore(options(files));
  assert.deepEqual(store.hardState, { term: 7, votedFor: 'n2' });
  assert.deepEqual(files.crash('nothing').content('vote'), whole);
});

test('a full disk has room for a vote', async () => {
  const files = await votedDisk();
  files.failWith = (call) =>
    call.startsWith('create') ? Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' }) : undefined;
  const store = openFileStore(options(files));
  store.saveHardState({ term: term(8), votedFor: 'n0' });
  await store.close();
  const again = openFileStore(options(files.crash('nothing')));
  assert.deepEqual(again.hardState, { term: 8, votedFor: 'n0' });
});

/** Says another version in the header of a segment (24 bytes) or a snapshot (4,096), CRC and all. */
function withVersion(bytes: Buffer, headerBytes: number, version: number): Buffer {
  const changed = Buffer.from(bytes);
  changed.writeUInt32LE(version, 8);
  const isSegment = headerBytes === HEADER;
  const before = isSegment ? crc32(changed.subarray(0, 12)) : 0;
  changed.writeUInt32LE(crc32(changed.subarray(16, headerBytes), before), 12);
  return changed;
}

const LAST_SEGMENT = '00000000000000000003.log';
const SNAPSHOT = '00000000000000000002.snapshot';

/** Entries 1 to 3 in two segments, and a snapshot of the first two. */
async function fullDirectory(): Promise<CrashableFiles> {
  const files = await diskOf(3, { segmentBytesMax: HEADER + 2 * RECORD });
  const store = openFileStore(options(files));
  const configuration = votersOnly(['n0']);
  const writer = store.beginSnapshot({ index: logIndex(2), term: term(1), configuration });
  await new Promise<void>((resolve) => writer.commit(() => resolve()));
  await store.close();
  return files.crash('nothing');
}

const inSegment =
  (version: number) =>
  (bytes: Buffer): Buffer =>
    withVersion(bytes, HEADER, version);

const fromTheFuture: readonly {
  readonly name: string;
  readonly file: string;
  readonly change: (content: Buffer) => Buffer;
  readonly known: string;
  readonly damaged?: string;
}[] = [
  { name: 'the first segment', file: FIRST_SEGMENT, change: inSegment(9), known: '1 to 2' },
  { name: 'the last segment', file: LAST_SEGMENT, change: inSegment(9), known: '1 to 2' },
  {
    name: 'a last segment without entries',
    file: LAST_SEGMENT,
    change: (bytes) => withVersion(bytes.subarray(0, HEADER), HEADER, 9),
    known: '1 to 2',
  },
  {
    name: 'a segment behind a damaged one',
    file: LAST_SEGMENT,
    change: inSegment(9),
    known: '1 to 2',
    damaged: FIRST_SEGMENT,
  },
  {
    name: 'a snapshot',
    file: SNAPSHOT,
    change: (bytes) => withVersion(bytes, 4_096, 9),
    known: '1',
  },
  {
    name: 'a vote',
    file: 'vote',
    change() {
      const json = '{"version":9,"term":7,"for":["n2"]}';
      return Buffer.from(`${crc32(json).toString(16).padStart(8, '0')} ${json}\n`);
    },
    known: '1',
  },
  {
    name: 'the mark of a rebuild',
    file: 'rebuild',
    change() {
      const bytes = Buffer.alloc(12);
      bytes.writeUInt16LE(8, 10);
      bytes.writeUInt32LE(crc32(bytes.subarray(4)));
      return bytes;
    },
    known: '1',
  },
];

for (const { change, damaged, file, known, name } of fromTheFuture) {
  test(`a format from the future is refused and left as it is: ${name}`, async () => {
    for (const rebuildFromPeers of [false, true]) {
      const files = await fullDirectory();
      if (file === 'rebuild') files.close(files.open(`log/${file}`, 'w'));
      files.damage(file, change(files.content(file)));
      if (damaged !== undefined) files.damage(damaged, withFlip(files.content(damaged), HEADER));
      const content = () => files.list().map((each) => [each, files.content(each)] as const);
      const before = content();
      assert.throws(() => openFileStore(options(files, { rebuildFromPeers })), {
        code: 'STORE_FORMAT_UNKNOWN',
        message: `log/${file}: format version 9, this program reads ${known}`,
      });
      assert.deepEqual(content(), before);
    }
  });
}

test('a mark of a rebuild as it used to be written is read', async () => {
  const files = await diskOf(1);
  const bytes = Buffer.alloc(12);
  bytes.writeBigUInt64LE(77n, 4);
  bytes.writeUInt32LE(crc32(bytes.subarray(4)));
  files.close(files.open('log/rebuild', 'w'));
  files.damage('rebuild', bytes);
  assert.equal(openFileStore(options(files)).mustCatchUpTo, 77);
});

/** What a caller did, and what it has been promised when the machine stops. */
class Witness {
  /** The log as it must be if everything that was asked for took effect. */
  asked: Entry[] = [];
  /** The log before a truncation that has not returned. */
  beforeCut: Entry[] | undefined;
  /** Entries up to here were acknowledged as synced and not truncated since. */
  promised = 0;
  votes: HardState[] = [{ term: term(0), votedFor: null }];
  votesSaved = 0;

  append(store: LogStore, entries: readonly Entry[]): Promise<void> {
    this.asked.push(...entries);
    const last = this.asked.length;
    return appended(store, entries).then(() => {
      if (this.asked.length >= last) this.promised = Math.max(this.promised, last);
    });
  }

  truncate(store: LogStore, after: number): void {
    this.beforeCut = this.asked;
    this.promised = Math.min(this.promised, after);
    this.asked = this.asked.slice(0, after);
    store.truncate(logIndex(after));
    this.beforeCut = undefined;
    this.promised = after;
  }

  vote(store: LogStore, state: HardState): void {
    this.votes.push(state);
    store.saveHardState(state);
    this.votesSaved = this.votes.length - 1;
  }

  check(store: LogStore, durability: Durability, where: string): void {
    const found = show(store);
    const logs = [this.asked, this.beforeCut ?? []].map(showEntries);
    assert.ok(
      logs.some((log) => `${log} `.startsWith(found === '' ? '' : `${found} `)),
      `${where}: found ${found}, but never wrote more than ${logs.join(' or ')}`,
    );
    if (durability !== 'background') {
      assert.ok(store.lastIndex >= this.promised, `${where}: lost ${this.promised}: ${found}`);
    }
    const votes = this.votes.slice(this.votesSaved).map((state) => JSON.stringify(state));
    assert.ok(votes.includes(JSON.stringify(store.hardState)), `${where}: another vote`);
  }
}

const showEntries = (entries: readonly Entry[]): string =>
  entries.map(({ index, term: entryTerm }) => `${index}@${entryTerm}`).join(' ');

/** Rolls, truncations within and across segments, votes, and appends that overlap. */
async function life(store: LogStore, witness: Witness): Promise<void> {
  const vote = (value: number, votedFor: string | null): void =>
    witness.vote(store, { term: value as Term, votedFor });
  vote(1, 'n0');
  await witness.append(store, run(1, 2));
  await nextTurn();
  const overlapping = [witness.append(store, run(3, 5)), witness.append(store, run(6, 6))];
  await Promise.all(overlapping);
  vote(2, null);
  witness.truncate(store, 5);
  await nextTurn();
  const replaced = witness.append(store, run(6, 7, 2));
  await Promise.all([replaced, witness.append(store, run(8, 11, 2))]);
  await nextTurn();
  await witness.append(store, run(12, 12, 2));
  witness.truncate(store, 2);
  vote(3, 'n1');
  await Promise.all([3, 4, 5, 6].map((index) => witness.append(store, [entry(index, 3)])));
}

/** The background sync is due in the next turn, so that a crash can meet it. */
const clock: Clock = {
  ...systemClock,
  after(_delayMs, action) {
    const timer = setImmediate(action);
    return () => clearImmediate(timer);
  },
};

for (const durability of ['background', 'group', 'each'] as const) {
  test(`${durability}: a crash before any call to the disk loses no promise and invents no entry`, async () => {
    const settings: Partial<FileStoreOptions> = { durability, segmentBytesMax: 150, clock };
    let crashes = 0;
    for (let crashAt = 1; ; crashAt += 1) {
      const files = new CrashableFiles();
      files.crashAt = crashAt;
      const witness = new Witness();
      const outcome = await Promise.race([
        attempt(async () => life(openFileStore(options(files, settings)), witness)),
        files.crashed.then(() => 'crashed'),
      ]);
      if (outcome === 'finished') break;
      assert.equal(outcome, 'crashed');
      crashes += 1;
      const prng = new Prng(crashAt);
      const survivals: Survival[] = ['nothing', 'everything'];
      for (let i = 0; i < 12; i += 1) survivals.push(prng.fork());
      for (const [i, survival] of survivals.entries()) {
        const where = `call ${crashAt}, survival ${i}`;
        const disk = files.crash(survival);
        const store = openFileStore(options(disk, settings));
        witness.check(store, durability, where);
        const before = show(store);
        const next = entry(store.lastIndex + 1, 9);
        await appended(store, [next]);
        const after = `${before} ${next.index}@9`.trim();

        // A second crash, so that what recovery itself did is put to the test.
        const again = openFileStore(options(disk.crash(prng.fork()), settings));
        const kept = durability === 'background' ? [before, after] : [after];
        assert.ok(kept.includes(show(again)), `${where}: ${show(again)} after ${after}`);
        await again.close();
      }
    }
    assert.ok(crashes > 50, `only ${crashes} calls were interrupted`);
  });
}

async function attempt(action: () => Promise<void>): Promise<'finished' | 'crashed'> {
  try {
    await action();
    return 'finished';
  } catch (error) {
    if (error instanceof Error && /machine has stopped/.test(error.message)) return 'crashed';
    throw error;
  }
}

function withFlip(bytes: Buffer, at: number): Buffer {
  const flipped = Buffer.from(bytes);
  flipped[at] = (flipped[at] ?? 0) ^ 0x10;
  return flipped;
}
