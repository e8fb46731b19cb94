import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseWorkload } from '../workload/parse.js';
import { type WorkloadPoint, workloadPoints } from '../workload/points.js';
import {
  memberConnections,
  parseLimits,
  type SystemLimits,
  shortages,
  socketNeeds,
  sourceAddresses,
} from './resources.js';

const why = 'why: a question that is long enough';
const point = (text: string, sets: number): WorkloadPoint => {
  const [first] = workloadPoints(
    parseWorkload('w.yaml', `name: w\n${why}\nsets: ${sets}\nreplicas: 3\n${text}`),
  );
  assert(first !== undefined);
  return first;
};
const shared = (sets: number) => point('kind: bring-up\nconnectionsPerWorker: 64\n', sets);
const own = (sets: number) => point('kind: bring-up\nconnections: own\n', sets);
const lost = (sets: number) => point('kind: mass-failover\nloss: closed\n', sets);

const needed: readonly { name: string; point: WorkloadPoint; workers: number; needs: string }[] = [
  {
    name: 'shared connections do not grow with the fleet',
    point: shared(10_000),
    workers: 2,
    needs: '128 384',
  },
  {
    name: 'connections of their own are one for each broker, whoever the workers are',
    point: own(1_000),
    workers: 2,
    needs: '3000 9000',
  },
  {
    name: 'a mass failure has tools beside its brokers',
    point: lost(1_000),
    workers: 1,
    needs: '3004 9012',
  },
];

for (const { name, point: asked, workers, needs } of needed) {
  test(name, () => {
    const { perMember, total } = socketNeeds(asked, 3, workers);
    assert.equal(`${perMember} ${total}`, needs);
  });
}

const limits = (openFilesMax: number, first = 32_768, last = 60_999): SystemLimits => ({
  openFilesMax,
  ports: [first, last],
});

const checked: readonly {
  name: string;
  sets: number;
  limits: SystemLimits | null;
  says: RegExp | null;
}[] = [
  {
    name: '9,000 sockets within 20,000 files are fine',
    sets: 1_000,
    limits: limits(20_000),
    says: null,
  },
  {
    name: 'too few files: what is needed, what there is, and how to raise it',
    sets: 1_000,
    limits: limits(4_096),
    says: /^w: needs 9,512 open files .* and 3,512 in each controller; the hard limit is 4,096\.\n.*`ulimit -Hn 9512`.*\n.*limits\.conf/,
  },
  {
    name: 'more brokers than ports take further addresses of loopback',
    sets: 10_000,
    limits: limits(100_000),
    says: null,
  },
  {
    name: 'too few ports even so: what is needed, what there is, and how to widen it',
    sets: 10_000,
    limits: limits(100_000, 60_000, 60_999),
    says: /^w: needs 90,000 local ports, .* 64 addresses of loopback with the ports 60000 to 60999\.\n.*ip_local_port_range/,
  },
  { name: 'a system that does not tell is not doubted', sets: 10_000, limits: null, says: null },
];

for (const { name, sets, limits: there, says } of checked) {
  test(name, () => {
    const said = shortages([socketNeeds(own(sets), 3, 1)], there).join('\n');
    if (says === null) assert.equal(said, '');
    else assert.match(said, says);
  });
}

test('what is on another machine is not reached from further addresses of loopback', () => {
  const said = (sets: number) => shortages([socketNeeds(own(sets), 5, 1)], limits(1e6), true);
  assert.deepEqual(said(1_000), []);
  assert.match(
    said(10_000).join('\n'),
    /^w: needs 30,000 local ports to each member and may take 22,585 of 32768 to 60999: on another machine, .*\n.*ip_local_port_range/,
  );
});

test('local addresses are chosen only where the ports of one do not suffice', () => {
  const sources = (sets: number) => sourceAddresses(socketNeeds(own(sets), 3, 1), limits(1e6));
  assert.deepEqual(sources(1_000), []);
  assert.deepEqual(sources(10_000), ['127.0.0.1', '127.0.0.2', '127.0.0.3', '127.0.0.4']);
});

test('a member of ours is let in as many connections as it will get, and never fewer than usual', () => {
  assert.equal(memberConnections([socketNeeds(own(1_000), 3, 1)]), 10_000);
  assert.equal(memberConnections([socketNeeds(own(10_000), 3, 1)]), 30_512);
});

const texts: readonly [name: string, limits: string, ports: string, read: string][] = [
  ['the hard limit counts', files('1024', '20000'), '32768\t60999\n', '20000 32768-60999'],
  ['no limit is none', files('1024', 'unlimited'), '1024 65535', '9007199254740991 1024-65535'],
  ['another shape is not guessed at', 'nonsense', '32768 60999', 'unknown'],
];

for (const [name, text, ports, read] of texts) {
  test(`limits of the system: ${name}`, () => {
    const found = parseLimits(text, ports);
    assert.equal(
      found === null ? 'unknown' : `${found.openFilesMax} ${found.ports.join('-')}`,
      read,
    );
  });
}

function files(soft: string, hard: string): string {
  return `Limit                     Soft Limit           Hard Limit           Units\nMax open files            ${soft}                 ${hard}                files     \n`;
}
