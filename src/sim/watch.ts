/**
 * Where a run looks at the shipped code: around its store, its engine and its state machine, never
 * inside them.
 */
import type { LogIndex } from '../lib/brand.js';
import type { ControllerMember } from '../server/member.js';
import type { LogStore } from '../storage/log-store.js';
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
      const value = Reflect.get(target, name, target) as unknown;
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** Tells what the engine applies, acknowledges and proves. */
export function watchedEngine(
  { controller, log }: ControllerMember,
  member: string,
  observer: Observer,
): void {
  const apply = controller.apply.bind(controller);
  controller.apply = (entry) => {
    apply(entry);
    observer.applied(member, entry);
  };
  const append = log.append.bind(log);
  log.append = async (body) => {
    const done = append(body);
    // The entry was handed to the store within the call.
    const index = log.lastIndex;
    await done;
    observer.acknowledged(member, index);
  };
  const readBarrier = log.readBarrier.bind(log);
  log.readBarrier = async () => {
    const read = observer.readBegun(member);
    await readBarrier();
    observer.readProved(member, read, log.appliedIndex);
  };
}
