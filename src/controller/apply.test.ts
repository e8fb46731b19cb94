/** What events do to a broker set, told as the set's whole state before and after. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ControllerEvent } from './event.js';
import {
  brokerName,
  cleaned,
  elected,
  inSync,
  led,
  moved,
  registered,
  stateAfter,
} from './scenario.js';
import { ascending, type BrokerSet } from './state.js';

interface Row {
  readonly name: string;
  readonly events: readonly ControllerEvent[];
  readonly gives: string;
}

const rows: readonly Row[] = [
  {
    name: 'the first id makes both halves of the set',
    events: [registered(1)],
    gives: 'ids 1 next 2 | master null@0 in sync []@0',
  },
  {
    name: 'the next id counts additions, not ids',
    events: [registered(1), registered(7)],
    gives: 'ids 1,7 next 3 | master null@0 in sync []@0',
  },
  {
    name: 'an id that is taken is not added again',
    events: [registered(1), registered(1)],
    gives: 'ids 1 next 2 | master null@0 in sync []@0',
  },
  {
    name: 'an election raises both epochs and leaves the master alone in step',
    events: led,
    gives: 'ids 1,2,3 next 4 | master 1@1 in sync [1]@1',
  },
  {
    name: 'a failed election raises the master epoch only, each time',
    events: [...led, inSync(1, 2), elected(null), elected(null)],
    gives: 'ids 1,2,3 next 4 | master null@3 in sync [1,2]@2',
  },
  {
    name: 'altering raises the set epoch only',
    events: [...led, inSync(1, 2, 3), inSync(1, 3)],
    gives: 'ids 1,2,3 next 4 | master 1@1 in sync [1,3]@3',
  },
  {
    name: 'moving changes no epoch',
    events: [...led, moved(2, 'z:2')],
    gives: 'ids 1,2(z:2),3 next 4 | master 1@1 in sync [1]@1',
  },
  {
    name: 'a stranger that moves is nobody',
    events: [...led, moved(9, 'z:9')],
    gives: 'ids 1,2,3 next 4 | master 1@1 in sync [1]@1',
  },
  {
    name: 'cleaning a slave changes neither epochs nor the next id',
    events: [...led, inSync(1, 2), cleaned(2, 3)],
    gives: 'ids 1 next 4 | master 1@1 in sync [1]@2',
  },
  {
    name: 'a cleaned master stays master while others are in step',
    events: [...led, inSync(1, 2), cleaned(1)],
    gives: 'ids 2,3 next 4 | master 1@1 in sync [2]@2',
  },
  {
    name: 'cleaning all that are in step drops the sync half',
    events: [...led, cleaned(1)],
    gives: 'ids 2,3 next 4 | -',
  },
  {
    name: 'so does cleaning anybody before the first election',
    events: [registered(1), registered(2), cleaned(2)],
    gives: 'ids 1 next 3 | -',
  },
  {
    name: 'cleaning all registered ids drops the other half',
    events: [registered(1), elected(42), cleaned(1)],
    gives: '- | master 42@1 in sync [42]@1',
  },
  {
    name: 'cleaning everybody drops the set',
    events: [...led, cleaned(1, 2, 3)],
    gives: 'unknown',
  },
  { name: 'cleaning without ids drops the set', events: [...led, cleaned()], gives: 'unknown' },
  {
    name: 'cleaning without ids drops half a set, too',
    events: [...led, cleaned(1), cleaned()],
    gives: 'unknown',
  },
  {
    name: 'the next id rebuilds half a set from scratch',
    events: [...led, cleaned(1), registered(5)],
    gives: 'ids 5 next 2 | master null@0 in sync []@0',
  },
  {
    name: 'half a set is neither elected, altered nor cleaned by id',
    events: [...led, cleaned(1), elected(2), inSync(2), cleaned(2)],
    gives: 'ids 2,3 next 4 | -',
  },
  {
    name: 'half a set may move',
    events: [...led, cleaned(1), moved(2, 'z:2')],
    gives: 'ids 2(z:2),3 next 4 | -',
  },
  {
    name: 'events for an unknown set do nothing',
    events: [elected(1), inSync(1), moved(1, 'z:1'), cleaned(1), cleaned()],
    gives: 'unknown',
  },
];

for (const { name, events, gives } of rows) {
  test(name, () => assert.equal(show(stateAfter(events).brokerSets.get(brokerName)), gives));
}

test('a move keeps the check code, so that the id stays with its broker', () => {
  const state = stateAfter([...led, moved(2, 'z:2')]);
  const replica = state.brokerSets.get(brokerName)?.registry?.replicas.get(2);
  assert.deepEqual(replica, { address: 'z:2', registerCheckCode: 'y:2;1700000000000' });
});

function show(set: BrokerSet | undefined): string {
  if (set === undefined) return 'unknown';
  const { registry, sync } = set;
  const half =
    registry === null ? '-' : `ids ${showIds(registry)} next ${registry.nextAssignBrokerId}`;
  if (sync === null) return `${half} | -`;
  const { masterBrokerId, masterEpoch, syncStateSet, syncStateSetEpoch } = sync;
  return `${half} | master ${masterBrokerId}@${masterEpoch} in sync [${syncStateSet}]@${syncStateSetEpoch}`;
}

/** Addresses are shown where they are not the usual ones. */
function showIds({ replicas }: NonNullable<BrokerSet['registry']>): string {
  return ascending(replicas.keys())
    .map((id) => {
      const address = replicas.get(id)?.address;
      return address === `y:${id}` ? String(id) : `${id}(${address})`;
    })
    .join(',');
}
