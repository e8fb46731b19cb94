/** Member messages survive; anything else on the port is refused before it is believed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { logIndex, term } from '../lib/brand.js';
import { MemberCode } from '../lib/codes.js';
import { configurationOf, encodeConfiguration, votersOnly } from '../raft/configuration.js';
import type { Message, VoteResult } from '../raft/types.js';
import { decodeCommand, encodeRequest } from '../remoting/codec.js';
import { isOneway, type RemotingCommand } from '../remoting/command.js';
import { FrameError } from '../remoting/errors.js';
import { clientIdentity, FrameWriter } from '../remoting/frame-writer.js';
import { isMemberCode, MemberCodec, type SendPush } from './member-codec.js';

const seed = 20_251_122;
const sender = new MemberCodec({ group: 'g', self: 'n0' });
const receiver = new MemberCodec({ group: 'g', self: 'n1' });

const counter = fc.oneof(fc.nat(), fc.maxSafeNat(), fc.constant(0xffff_ffff));
const index = counter.map(logIndex);
const terms = counter.map(term);
const envelope = { from: fc.constant('n0'), to: fc.constant('n1'), term: terms };
const results: readonly VoteResult[] = [
  'accept',
  'unknown-member',
  'log-behind',
  'expired-term',
  'already-voted',
  'already-has-leader',
  'term-not-ready',
  'term-below-log',
  'leader-alive',
];
const purposes = fc.constantFrom('elect', 'ask', 'transfer');
const configuration = fc.constantFrom(
  votersOnly(['n0', 'n1']),
  configurationOf([
    { id: 'n1', address: 'host:1', role: 'voter' },
    { id: 'größer', address: '', role: 'learner' },
  ]),
);
const push = fc
  .record({
    ...envelope,
    prevIndex: fc.nat().map(logIndex),
    prevTerm: terms,
    commitIndex: index,
    log: fc.array(
      fc.tuple(
        terms,
        fc.oneof(
          fc.uint8Array({ maxLength: 40 }).map((bytes) => [Buffer.from(bytes), 'data'] as const),
          configuration.map(
            (members) => [Buffer.from(encodeConfiguration(members)), 'configuration'] as const,
          ),
        ),
      ),
    ),
  })
  .map(({ log, ...rest }) => ({
    ...rest,
    kind: 'push' as const,
    entries: log.map(([entryTerm, [body, kind]], i) => ({
      term: entryTerm,
      index: logIndex(rest.prevIndex + 1 + i),
      kind,
      body,
    })),
  }));
const message: fc.Arbitrary<Message> = fc.oneof(
  fc.record({
    ...envelope,
    kind: fc.constant('vote'),
    lastIndex: index,
    lastTerm: terms,
    purpose: purposes,
  }),
  fc.record({ ...envelope, kind: fc.constant('take-over') }),
  fc.record({
    ...envelope,
    kind: fc.constant('snapshot'),
    head: fc.record({ index, term: terms, configuration }).map((head) => ({ ...head })),
    totalBytes: counter,
    offset: counter,
    bytes: fc.uint8Array({ maxLength: 40 }).map(Buffer.from),
  }),
  fc.record({ ...envelope, kind: fc.constant('snapshot-ack'), index, received: counter }),
  fc.record({
    ...envelope,
    kind: fc.constant('vote-result'),
    votedTerm: terms,
    purpose: purposes,
    result: fc.constantFrom(...results),
  }),
  fc.record({ ...envelope, kind: fc.constant('heartbeat'), commitIndex: index, round: counter }),
  fc.record({ ...envelope, kind: fc.constant('heartbeat-ack'), round: counter }),
  push,
  fc.record({ ...envelope, kind: fc.constant('push-ack'), result: fc.constant('matched'), index }),
  fc.record({
    ...envelope,
    kind: fc.constant('push-ack'),
    result: fc.constant('mismatch'),
    prevIndex: index,
    index,
  }),
  fc.record({ ...envelope, kind: fc.constant('read-index'), read: counter }),
  fc.record({
    ...envelope,
    kind: fc.constant('read-index-result'),
    read: counter,
    index: fc.option(index),
  }),
);

test('every message survives, as a one-way frame with a member code', () => {
  fc.assert(
    fc.property(message, (drawn) => {
      const command = sent(drawn);
      assert.ok(isMemberCode(command.code) && isOneway(command));
      assert.deepEqual(receiver.decode(command), { ...drawn });
    }),
    { seed, numRuns: 500 },
  );
});

test('a byte changed anywhere in the body is noticed', () => {
  fc.assert(
    fc.property(message, fc.nat(), fc.integer({ min: 1, max: 255 }), (drawn, at, change) => {
      const command = sent(drawn);
      assert(command.body !== null);
      const body = Buffer.from(command.body);
      body[at % body.length] = (body[at % body.length] ?? 0) ^ change;
      assert.throws(() => receiver.decode({ ...command, body }), { code: 'MEMBER_FRAME' });
    }),
    { seed, numRuns: 500 },
  );
});

test('any bytes under a good checksum decode or are refused with a FrameError', () => {
  const codes = fc.constantFrom(...Object.values(MemberCode), 904);
  const start = sent(vote).body?.subarray(4, 22) ?? Buffer.alloc(0);
  const fields = fc.uint8Array({ maxLength: 60 });
  const plausible = fields.map((rest) => Buffer.concat([start, rest]));
  const content = fc.oneof(fields.map(Buffer.from), plausible);
  fc.assert(
    fc.property(codes, content, (code, bytes) => {
      const body = Buffer.concat([Buffer.alloc(4), bytes]);
      body.writeUInt32BE(crc32(bytes));
      try {
        receiver.decode({ ...sent(vote), code, body });
      } catch (error) {
        assert.ok(error instanceof FrameError, String(error));
      }
    }),
    { seed, numRuns: 3_000 },
  );
});

test('the bodies of pushed entries are not copied', () => {
  const command = sent(pushed);
  const decoded = receiver.decode(command);
  assert(decoded.kind === 'push');
  assert.equal(decoded.entries[0]?.body.buffer, command.body?.buffer);
});

test('a push effect and its entries are written as the message', () => {
  const { entries, ...fields } = pushed;
  const effect: SendPush = {
    ...fields,
    kind: 'send-push',
    first: logIndex(5),
    last: logIndex(5),
  };
  const writer = new FrameWriter();
  sender.writePush(writer, effect, entries);
  assert.deepEqual(receiver.decode(decodeCommand(writer.bytes(), 4)), pushed);
});

const vote = {
  kind: 'vote',
  from: 'n0',
  to: 'n1',
  term: term(3),
  lastIndex: logIndex(4),
  lastTerm: term(2),
  purpose: 'elect',
} as const;
const pushed = {
  kind: 'push',
  from: 'n0',
  to: 'n1',
  term: term(3),
  prevIndex: logIndex(4),
  prevTerm: term(2),
  commitIndex: logIndex(4),
  entries: [
    { term: term(3), index: logIndex(5), kind: 'data' as const, body: Buffer.from('body') },
  ],
} as const;

const refusals: readonly {
  readonly name: string;
  readonly command: () => RemotingCommand;
  readonly means: RegExp;
}[] = [
  {
    name: 'of another group',
    command: () => sent(vote, new MemberCodec({ group: 'h', self: 'n0' })),
    means: /of another group$/,
  },
  {
    name: 'for another member',
    command: () => sent({ ...vote, to: 'n2' }),
    means: /for "n2", not for n1$/,
  },
  { name: 'without a body', command: () => ({ ...sent(vote), body: null }), means: /no body$/ },
  {
    name: 'under another code',
    command: () => ({ ...sent(vote), code: MemberCode.HeartbeatAck }),
    means: /bytes left over$/,
  },
  {
    name: 'under a code too long for it',
    command: () => ({ ...sent(vote), code: MemberCode.Push }),
    means: /cut short$/,
  },
  {
    name: 'with a claim of more entries than bytes',
    command: () =>
      withChecksum({ ...pushed, entries: [] }, (body) => body.writeUInt32BE(9, body.length - 4)),
    means: /9 entries in 0 bytes$/,
  },
  {
    name: 'with an integer over 2^53',
    command: () => withChecksum(vote, (body) => body.writeUInt32BE(0x20_0000, body.length - 9)),
    means: /integer over 2\^53$/,
  },
];
for (const { name, command, means } of refusals) {
  test(`a message ${name} is refused`, () => {
    assert.throws(
      () => receiver.decode(command()),
      (error) => error instanceof FrameError && means.test(error.message),
    );
  });
}

test('a frame that is too large for its receiver is not written', () => {
  const writer = new FrameWriter();
  const body = Buffer.alloc(16 * 1024 * 1024);
  const entries = [{ term: term(3), index: logIndex(5), kind: 'data' as const, body }];
  assert.throws(() => sender.writeMessage(writer, { ...pushed, entries }), {
    code: 'FRAME_TOO_LARGE',
  });
  assert.equal(writer.length, 0);
});

test('a broker request has no member code', () => {
  const frame = encodeRequest(
    { code: 1001, opaque: 1, flag: 0, extFields: null, body: null },
    clientIdentity,
  );
  assert.equal(isMemberCode(decodeCommand(frame, 4).code), false);
});

function sent(drawn: Message, codec = sender): RemotingCommand {
  const writer = new FrameWriter();
  codec.writeMessage(writer, drawn);
  return decodeCommand(writer.bytes(), 4);
}

/** A body altered by someone who knows the checksum. */
function withChecksum(drawn: Message, alter: (body: Buffer) => void): RemotingCommand {
  const command = sent(drawn);
  const body = Buffer.from(command.body ?? '');
  alter(body);
  body.writeUInt32BE(crc32(body.subarray(4)));
  return { ...command, body };
}
