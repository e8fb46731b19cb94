/**
 * What must be true of every broker set after every applied entry.
 *
 * Why: brokers fence each other with these numbers. A masterEpoch that is used twice gives a set two
 * masters that both believe; a master outside its SyncStateSet may lack acknowledged messages; an
 * id given twice mixes up two brokers' data.
 *
 * @source rocketmq ReplicasInfoManager; threads 6316, 4771, 9082
 */
import type { BrokerSet, StateView } from '../../controller/state.js';
import { Violation } from './violation.js';

interface Facts {
  readonly masterEpoch: number;
  readonly syncStateSetEpoch: number;
}

export class BrokerSets {
  readonly #last = new Map<string, Facts>();
  /** Master by `set:masterEpoch`. */
  readonly #masters = new Map<string, number>();
  /** Check code by `set:brokerId`. */
  readonly #ids = new Map<string, string>();

  /** Called once for each index, in order, with the state after it. */
  applied(index: number, state: StateView): void {
    for (const set of state.brokerSets.values()) this.#look(index, set);
  }

  #look(index: number, { brokerName, registry, sync }: BrokerSet): void {
    if (sync === null) return;
    const { masterBrokerId, masterEpoch, syncStateSet, syncStateSetEpoch } = sync;
    const last = this.#last.get(brokerName);
    if (last !== undefined && masterEpoch < last.masterEpoch) {
      throw violation(
        'epochs-only-rise',
        `after entry ${index} ${brokerName} has masterEpoch ${masterEpoch} after ${last.masterEpoch}`,
      );
    }
    if (last !== undefined && syncStateSetEpoch < last.syncStateSetEpoch) {
      throw violation(
        'epochs-only-rise',
        `after entry ${index} ${brokerName} has syncStateSetEpoch ${syncStateSetEpoch} after ${last.syncStateSetEpoch}`,
      );
    }
    this.#last.set(brokerName, { masterEpoch, syncStateSetEpoch });
    if (masterBrokerId !== null) {
      const key = `${brokerName}:${masterEpoch}`;
      const known = this.#masters.get(key);
      if (known !== undefined && known !== masterBrokerId) {
        throw violation(
          'one-master-per-epoch',
          `${brokerName} had masters ${known} and ${masterBrokerId} in masterEpoch ${masterEpoch}`,
        );
      }
      this.#masters.set(key, masterBrokerId);
      if (!syncStateSet.includes(masterBrokerId)) {
        throw violation(
          'master-in-sync-set',
          `after entry ${index} ${brokerName} has master ${masterBrokerId} outside its SyncStateSet {${syncStateSet.join()}}`,
        );
      }
    }
    for (const [id, { registerCheckCode }] of registry?.replicas ?? []) {
      const key = `${brokerName}:${id}`;
      const known = this.#ids.get(key);
      if (known !== undefined && known !== registerCheckCode) {
        throw violation(
          'broker-ids',
          `${brokerName} gave id ${id} to ${known} and to ${registerCheckCode}`,
        );
      }
      this.#ids.set(key, registerCheckCode);
    }
  }
}

const violation = (checker: string, what: string): Violation => new Violation(checker, what);
