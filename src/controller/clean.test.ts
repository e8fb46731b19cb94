/** 1011: every check, and upstream's traps, which are kept. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CleanBrokerData } from './command.js';
import { decide } from './decide.js';
import {
  alive,
  ask,
  brokerName,
  clean,
  cleaned,
  clusterName,
  elected,
  led,
  registered,
  type Situation,
  stateAfter,
} from './scenario.js';

const cleanAll: CleanBrokerData = {
  kind: 'clean-broker-data',
  clusterName,
  brokerName,
  brokerControllerIdsToClean: null,
  isCleanLivingBroker: false,
};

const stillAlive = '2009 Broker set2 is still alive, clean up failure';
const notExisted = '2009 Broker set2 is not existed,clean broker data failure.';
const badFormat = (id: string): string =>
  '2009 Please set the option <brokerControllerIdsToClean> according to the format, exception: ' +
  `java.lang.NumberFormatException: For input string: "${id}"`;

interface Row extends Partial<Situation> {
  readonly name: string;
  readonly asked?: Partial<CleanBrokerData>;
  readonly gives: string;
}

const ids = (brokerControllerIdsToClean: string): Partial<CleanBrokerData> => ({
  brokerControllerIdsToClean,
});

const rows: readonly Row[] = [
  {
    name: 'a set without a master goes as a whole',
    given: [registered(1)],
    gives: '0 => cleaned all',
  },
  { name: 'a set with a master stays, whether that lives or not', gives: stillAlive },
  { name: 'blank ids are no ids', asked: ids(' \t'), gives: stillAlive },
  {
    name: 'a set that failed to elect has no master',
    given: [...led, elected(null)],
    gives: '0 => cleaned all',
  },
  { name: 'an unknown set is refused', given: [], gives: notExisted },
  { name: 'dead replicas go', asked: ids('3;2'), living: [1], gives: '0 => cleaned 2,3' },
  {
    name: 'a plus sign and leading zeros are numbers, and repeats are one',
    asked: ids('+2;003;2'),
    gives: '0 => cleaned 2,3',
  },
  { name: 'an id that nobody has may go', asked: ids('9'), gives: '0 => cleaned 9' },
  { name: 'a negative id may go', asked: ids('-9'), gives: '0 => cleaned -9' },
  { name: 'semicolons at the end do not count', asked: ids('2;;'), gives: '0 => cleaned 2' },
  { name: 'a semicolon at the start does', asked: ids(';2'), gives: badFormat('') },
  { name: 'letters are no id', asked: ids('x'), gives: badFormat('x') },
  { name: 'blanks around an id are refused', asked: ids('2; 3'), gives: badFormat(' 3') },
  {
    name: 'an id beyond 64 bits is refused',
    asked: ids('9223372036854775808'),
    gives: badFormat('9223372036854775808'),
  },
  {
    name: 'so is one that a double cannot hold',
    asked: ids('9007199254740993'),
    gives: badFormat('9007199254740993'),
  },
  { name: 'bad ids come before an unknown set', given: [], asked: ids('x'), gives: badFormat('x') },
  {
    name: 'one living replica keeps them all',
    asked: ids('3;2'),
    living: [1, 2],
    gives: '2009 Broker [set2,  2] is still alive, clean up failure',
  },
  {
    name: 'a living replica comes before an unknown set',
    given: [],
    asked: ids('2'),
    living: [2],
    gives: '2009 Broker [set2,  2] is still alive, clean up failure',
  },
  {
    name: 'trap: a list of semicolons drops the set under its living master',
    asked: ids(';'),
    living: [1, 2, 3],
    gives: '0 => cleaned all',
  },
  {
    name: 'trap: cleaning the living ignores the ids and drops the set',
    asked: { ...ids('3'), isCleanLivingBroker: true },
    living: [1, 2, 3],
    gives: '0 => cleaned all',
  },
  {
    name: 'cleaning the living of an unknown set is refused, its ids unread',
    given: [],
    asked: { ...ids('x'), isCleanLivingBroker: true },
    gives: notExisted,
  },
  {
    name: 'a set that lost its sync half is unknown',
    given: [...led, cleaned(1)],
    gives: notExisted,
  },
  {
    name: 'a set that lost its registered half still has its master',
    given: [registered(1), elected(42), cleaned(1)],
    gives: stillAlive,
  },
  { name: 'a missing name crashes', asked: { brokerName: null }, gives: '1 NullPointerException' },
  {
    name: 'a missing name crashes when cleaning the living, too',
    asked: { brokerName: null, isCleanLivingBroker: true },
    gives: '1 NullPointerException',
  },
];

for (const { name, given = led, living = [], asked, gives } of rows) {
  test(`1011 ${name}`, () => {
    assert.equal(ask({ given, living }, { ...cleanAll, ...asked }), gives);
  });
}

test('1011 trap: under a wrong cluster name everybody looks dead', () => {
  const asked = { ...cleanAll, ...ids('2'), clusterName: null };
  assert.equal(decide(stateAfter(led), asked, alive([2]), clean).reply.code, 0);
});
