import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gapAfterMs, joinMarks } from './recovery.js';
import { type GeneratorFacts, invalidReasons } from './validity.js';

const fine: GeneratorFacts = {
  mode: 'open',
  asked: 1_000,
  ok: 1_000,
  rejected: {},
  failed: {},
  controlLatenessP99Us: 100,
  latenessP99Us: 900,
  responseP99Us: 5_000,
  eventLoopUtilization: 0.3,
  cpuShare: 0.3,
  inFlightAtEnd: 0,
  hasFault: false,
};

const judged: readonly {
  readonly name: string;
  readonly facts: Partial<GeneratorFacts>;
  readonly says: RegExp | null;
}[] = [
  { name: 'an open loop on time is valid', facts: {}, says: null },
  {
    name: 'sends later than 2 ms at p99 are the generator’s fault',
    facts: { latenessP99Us: 2_100 },
    says: /sent late: p99 2\.1 ms, allowed 2\.0 ms/,
  },
  {
    name: 'lateness within a tenth of the response time does not matter',
    facts: { latenessP99Us: 4_000, responseP99Us: 50_000 },
    says: null,
  },
  {
    name: 'a busy event loop invalidates an open loop',
    facts: { eventLoopUtilization: 0.81 },
    says: /event loop was 81 % busy/,
  },
  {
    name: 'missing answers with a full controller are a result',
    facts: { ok: 400, failed: { SHED: 600 } },
    says: null,
  },
  {
    name: 'answers still on their way at the end show a full controller',
    facts: { ok: 900, inFlightAtEnd: 100 },
    says: null,
  },
  {
    name: 'missing answers without any sign of a full controller are not',
    facts: { ok: 980 },
    says: /980 of 1000 requests were answered, and no sign/,
  },
  {
    name: 'requests refused as wrong are the load’s own fault',
    facts: { ok: 950, rejected: { '2001': 50 } },
    says: /refused as wrong \(2001: 50\)/,
  },
  {
    name: 'a few of them are tolerated',
    facts: { ok: 995, rejected: { '2001': 5 } },
    says: null,
  },
  {
    name: 'around a fault they belong to the picture',
    facts: { ok: 950, rejected: { '2001': 50 }, failed: { REFUSED: 50 }, hasFault: true },
    says: null,
  },
  {
    name: 'a closed loop may keep its event loop busy while it waits for a core',
    facts: { mode: 'closed', eventLoopUtilization: 0.99, cpuShare: 0.6 },
    says: null,
  },
  {
    name: 'a closed loop whose worker computes all the time was the limit',
    facts: { mode: 'closed', eventLoopUtilization: 0.99, cpuShare: 0.97 },
    says: /generator was the limit: a worker computed 97 %/,
  },
  {
    name: 'where processor time is unknown the event loop stands in',
    facts: { mode: 'closed', eventLoopUtilization: 0.99, cpuShare: null },
    says: /generator was the limit: a worker's event loop was 99 % busy/,
  },
  {
    name: 'lateness is no fault of a generator on a machine whose idle timers are as late',
    facts: { latenessP99Us: 5_900, controlLatenessP99Us: 3_000 },
    says: null,
  },
  {
    name: 'a generator much later than an idle timer was late itself',
    facts: { latenessP99Us: 6_100, controlLatenessP99Us: 3_000 },
    says: /generator sent late: p99 6.1 ms, allowed 6.0 ms/,
  },
  {
    name: 'a gap of hundreds of milliseconds bears some lateness',
    facts: { latenessP99Us: 9_000, hasFault: true },
    says: null,
  },
  {
    name: 'a closed loop is not judged by lateness',
    facts: { mode: 'closed', latenessP99Us: 90_000 },
    says: null,
  },
  {
    name: 'refusals in bring-up are part of a broker’s life',
    facts: { mode: 'script', rejected: { '2011': 800 } },
    says: null,
  },
  { name: 'no success at all is no measurement', facts: { ok: 0 }, says: /nothing was answered/ },
];

for (const { name, facts, says } of judged) {
  test(`validity: ${name}`, () => {
    const reasons = invalidReasons({ ...fine, ...facts }).join('; ');
    if (says === null) assert.equal(reasons, '');
    else assert.match(reasons, says);
  });
}

/** One character a millisecond: `x` a write was acknowledged, `.` none was. */
const marks = (picture: string): Uint8Array =>
  Uint8Array.from(picture, (character) => (character === 'x' ? 1 : 0));

const gaps: readonly {
  readonly name: string;
  readonly picture: string;
  readonly faultAtMs: number;
  readonly untilMs?: number;
  readonly gapMs: number | undefined;
}[] = [
  {
    name: 'runs from the fault to the first acknowledged write',
    picture: 'xxxx......xxx',
    faultAtMs: 4,
    gapMs: 6,
  },
  {
    name: 'is not ended by answers that were under way',
    picture: 'xxxxx.x......xx',
    faultAtMs: 4,
    gapMs: 9,
  },
  {
    name: 'may begin before the fault, when writes are rare',
    picture: 'x..x.....x..x',
    faultAtMs: 5,
    gapMs: 4,
  },
  {
    name: 'ignores silences that were over before the fault',
    picture: 'x........xxx...xx',
    faultAtMs: 11,
    gapMs: 4,
  },
  {
    name: 'is unknown when no write came back',
    picture: 'xxxx.......',
    faultAtMs: 4,
    gapMs: undefined,
  },
  {
    name: 'ends before the next fault',
    picture: 'xxx...xxx.....xx',
    faultAtMs: 3,
    untilMs: 9,
    gapMs: 3,
  },
];

for (const { name, picture, faultAtMs, untilMs, gapMs } of gaps) {
  test(`the gap after a fault ${name}`, () => {
    assert.equal(gapAfterMs(marks(picture), faultAtMs, untilMs), gapMs);
  });
}

test('a write acknowledged to any worker ends the silence', () => {
  const joined = joinMarks([marks('xx....x'), marks('xx..x')]);
  assert.deepEqual(joined, marks('xx..x.x'));
});
