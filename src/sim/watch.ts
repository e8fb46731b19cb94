/**
 * Where a run looks at the shipped code: around its store, its engine and its state machine, never
 * inside them.
 */
import type { LogStore } from '../storage/log-store.js';
import type { Program } from './member-host.js';
import type { Observer } from './observer.js';

/** A store whose changes are told to the observer. */
export function watchedStore(store: LogStore, member: string, observer: Observer): LogStore {
  return {
    get firstIndex() {
      return store.firstIndex;
    },
    get lastIndex() {
      return store.lastIndex;
    },
    get hardState() {
      return store.hardState;
    },
    get snapshot() {
      return store.snapshot;
    },
    get mustCatchUpTo() {
      return store.mustCatchUpTo;
    },
    termRuns: () => store.termRuns(),
    configurations: () => store.configurations(),
    entries: (first, last, bytesMax) => store.entries(first, last, bytesMax),
    saveHardState: (state) => store.saveHardState(state),
    termAt: (index) => store.termAt(index),
    beginSnapshot: (head) => store.beginSnapshot(head),
    readSnapshot: (offset, bytesMax) => store.readSnapshot(offset, bytesMax),
    receiveSnapshot: (head, offset, part) => store.receiveSnapshot(head, offset, part),
    hasRoom: () => store.hasRoom(),
    caughtUp: () => store.caughtUp(),
    close: () => store.close(),
    append(entries, done) {
      store.append(entries, done);
      observer.appended(member, entries);
    },
    truncate(after) {
      store.truncate(after);
      observer.truncated(member, after);
    },
    installSnapshot(head) {
      store.installSnapshot(head);
      observer.installed(member, head);
    },
    compact(upTo) {
      store.compact(upTo);
      observer.compacted(member, store.snapshot?.index ?? upTo, store.firstIndex);
    },
  };
}

/** Tells what the engine applies, acknowledges and proves. */
export function watchedEngine(
  { log, stateMachine }: Program,
  member: string,
  observer: Observer,
): void {
  const apply = stateMachine.apply.bind(stateMachine);
  stateMachine.apply = (entry) => {
    apply(entry);
    observer.applied(member, entry);
  };
  const append = log.append.bind(log);
  log.append = async (body) => {
    const index = await append(body);
    observer.acknowledged(member, index);
    return index;
  };
  const readBarrier = log.readBarrier.bind(log);
  log.readBarrier = async () => {
    const read = observer.readBegun(member);
    await readBarrier();
    observer.readProved(member, read, log.appliedIndex);
  };
}
