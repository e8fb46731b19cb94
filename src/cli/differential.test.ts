/**
 * One seeded history of thousands of requests into both builds: every reply equal, and in the end
 * snapshots equal byte for byte.
 *
 * What makes the builds fast or slow must not make them differ. When a silent broker is noticed may
 * differ, so no heartbeat runs out here: the dead are those that never beat.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RequestCode } from '../lib/codes.js';
import { Prng } from '../lib/prng.js';
import { TestController, type TestRequest } from '../server/testing.js';
import { resolveBuild } from './builds.js';

const SETS = 12;
const REQUESTS = 4_000;

for (const seed of [1, 2, 3]) {
  test(`seed ${seed}: ${REQUESTS} requests, the same replies and the same state`, async () => {
    const builds = await Promise.all(
      ['baseline', 'optimized', 'baseline+admission=optimized'].map((name) =>
        new TestController(resolveBuild(name)).serve(),
      ),
    );
    const history = new HistoryMaker(new Prng(seed));
    const codesSeen = new Set<number>();
    for (let at = 0; at < REQUESTS; at += 1) {
      const request = history.next();
      const replies = [];
      for (const build of builds) replies.push({ ...(await build.exchange(request)), opaque: 0 });
      const [first, ...others] = replies;
      assert(first !== undefined);
      for (const other of others) assert.deepEqual(other, first, JSON.stringify(request));
      codesSeen.add(first.code);
      history.learn(request, first.code);
    }
    const [first, ...others] = builds.map(({ controller }) => controller.snapshot());
    for (const other of others) assert.ok(Buffer.from(other).equals(Buffer.from(first ?? [])));
    // A history that only succeeds, or only fails, would prove little.
    for (const code of [
      0, 1, 16, 2000, 2001, 2002, 2003, 2006, 2008, 2009, 2010, 2011, 2013, 2014,
    ]) {
      assert.ok(codesSeen.has(code), `the history never met code ${code}`);
    }
    await Promise.all(builds.map((build) => build.close()));
  });
}

/** Draws requests that brokers and operators might send, most of them sensible. */
class HistoryMaker {
  readonly #chance: Prng;
  /** The epochs of each set as its last successful writes left them; guesses are enough here. */
  readonly #masterEpoch = new Map<string, number>();
  readonly #setEpoch = new Map<string, number>();

  constructor(chance: Prng) {
    this.#chance = chance;
  }

  next(): TestRequest {
    const set = this.#chance.between(1, SETS);
    return this.#request(`set-${set}`, set % 3 === 0);
  }

  learn({ code, extFields }: TestRequest, replyCode: number): void {
    const name = extFields?.['brokerName'];
    if (name === undefined || replyCode !== 0) return;
    if (code === RequestCode.ElectMaster) {
      this.#masterEpoch.set(name, (this.#masterEpoch.get(name) ?? 0) + 1);
      this.#setEpoch.set(name, (this.#setEpoch.get(name) ?? 0) + 1);
    } else if (code === RequestCode.AlterSyncStateSet) {
      this.#setEpoch.set(name, (this.#setEpoch.get(name) ?? 0) + 1);
    } else if (code === RequestCode.CleanBrokerData) {
      this.#masterEpoch.delete(name);
      this.#setEpoch.delete(name);
    }
  }

  #request(brokerName: string, thirdIsSilent: boolean): TestRequest {
    const chance = this.#chance;
    const id = String(chance.between(1, 3));
    const clusterName = chance.chance(0.02) ? 'cluster-b' : 'cluster-a';
    const names = { clusterName, brokerName };
    const kind = chance.between(0, 99);
    if (kind < 25 && !(thirdIsSilent && id === '3')) {
      return {
        code: RequestCode.BrokerHeartbeat,
        extFields: {
          ...names,
          brokerId: id,
          brokerAddr: `10.0.0.${id}:10911`,
          epoch: String(chance.between(1, 3)),
          maxOffset: String(chance.between(0, 1_000)),
          heartbeatTimeoutMills: '3600000',
        },
      };
    }
    if (kind < 35) {
      const registerCheckCode = `10.0.0.${id}:10911;${chance.chance(0.1) ? 2 : 1}`;
      return {
        code: RequestCode.ApplyBrokerId,
        extFields: { ...names, appliedBrokerId: id, registerCheckCode },
      };
    }
    if (kind < 43) {
      const brokerAddress = `10.0.${chance.between(0, 1)}.${id}:10911`;
      return {
        code: RequestCode.RegisterBroker,
        extFields: { ...names, brokerId: id, brokerAddress },
      };
    }
    if (kind < 53) {
      const designateElect = String(chance.chance(0.3));
      return {
        code: RequestCode.ElectMaster,
        extFields: { ...names, brokerId: id, designateElect },
      };
    }
    if (kind < 78) {
      const wrongly = (): number => (chance.chance(0.1) ? 1 : 0);
      const masterEpoch = (this.#masterEpoch.get(brokerName) ?? 0) + wrongly();
      const epoch = (this.#setEpoch.get(brokerName) ?? 0) + wrongly();
      const members = [1, 2, 3].filter(() => chance.chance(0.7));
      if (chance.chance(0.05)) members.push(9);
      return {
        code: RequestCode.AlterSyncStateSet,
        extFields: { brokerName, masterBrokerId: id, masterEpoch: String(masterEpoch) },
        body: JSON.stringify({ syncStateSet: members, syncStateSetEpoch: epoch }),
      };
    }
    if (kind < 88) return { code: RequestCode.GetReplicaInfo, extFields: { brokerName } };
    if (kind < 92) {
      return { code: RequestCode.GetSyncStateData, body: JSON.stringify([brokerName, 'set-1']) };
    }
    if (kind < 96) return { code: RequestCode.GetNextBrokerId, extFields: names };
    if (kind >= 98) {
      if (chance.chance(0.3)) return { code: RequestCode.GetControllerConfig };
      const property = chance.pick([
        ...['enableElectUncleanMaster=true', 'enableElectUncleanMaster=false'],
        ...['electMasterMaxRetryCount=2', 'electMasterMaxRetryCount=x', 'configStorePath=x'],
      ]);
      return { code: RequestCode.UpdateControllerConfig, body: property };
    }
    return {
      code: RequestCode.CleanBrokerData,
      extFields: {
        ...names,
        isCleanLivingBroker: String(chance.chance(0.2)),
        ...(chance.chance(0.7) && { brokerControllerIdsToClean: chance.chance(0.9) ? id : 'x' }),
      },
    };
  }
}
