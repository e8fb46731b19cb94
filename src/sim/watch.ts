/**
 * Where a run looks at the shipped code: around its store, its engine and its state machine, never
 * inside them.
 */
import type { LogIndex } from '../lib/brand.js';
import type { SnapshotHead } from '../raft/types.js';
import type { LogStore } from '../storage/log-store.js';
import type { Program } from './member-host.js';
import type { Observer } from './observer.js';

/** A store whose appends and cuts are told to the observer. */
export function watchedStore(store: LogStore, member: string, observer: Observer): LogStore {
  return new Proxy(store, {
    get(target, name) {
      if (name === 'append') {
        return (...[entries, done]: Parameters<LogStore['append']>) => {
          target.append(entries, done);
          observer.appended(member, entries);
        };
      }
      if (name === 'truncate') {
        return (after: LogIndex) => {
          target.truncate(after);
          observer.truncated(member, after);
        };
      }
      if (name === 'installSnapshot') {
        return (head: SnapshotHead) => {
          target.installSnapshot(head);
          observer.installed(member, head.index);
        };
      }
      if (name === 'compact') {
        return (upTo: LogIndex) => {
          target.compact(upTo);
          observer.compacted(member, target.snapshot?.index ?? upTo, target.firstIndex);
        };
      }
      const value = Reflect.get(target, name, target) as unknown;
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
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
