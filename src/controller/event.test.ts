/** Entry bodies: what goes in comes out, and nothing else does. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type ControllerEvent, decodeEvents, EventWriter, encodeEvents } from './event.js';

const text = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constant('a\ud800b'));
const id = fc.oneof(fc.integer({ min: -2, max: 300 }), fc.maxSafeInteger());
const ids = fc.array(id, { maxLength: 6 });

/** Plain objects, as the decoder makes them. */
const record = <Model>(model: { [Key in keyof Model]: fc.Arbitrary<Model[Key]> }) =>
  fc.record<Model>(model, { noNullPrototype: true });

const anyEvent: fc.Arbitrary<ControllerEvent> = fc.oneof(
  record({
    kind: fc.constant('sync-state-set-altered' as const),
    brokerName: text,
    syncStateSet: ids,
  }),
  record({
    kind: fc.constant('broker-id-applied' as const),
    clusterName: fc.option(text, { nil: null }),
    brokerName: text,
    brokerId: id,
    brokerAddress: text,
    registerCheckCode: text,
  }),
  record({
    kind: fc.constant('master-elected' as const),
    brokerName: text,
    masterBrokerId: fc.option(id, { nil: null }),
  }),
  record({
    kind: fc.constant('broker-data-cleaned' as const),
    brokerName: text,
    brokerIds: ids,
  }),
  record({
    kind: fc.constant('broker-address-updated' as const),
    brokerName: text,
    brokerId: id,
    brokerAddress: text,
  }),
);

const run = { seed: 5, numRuns: 500 };

test('many events of many requests share one body, in order', () => {
  fc.assert(
    fc.property(fc.array(anyEvent, { maxLength: 20 }), (events) => {
      assert.deepEqual(decodeAll(encodeEvents(events)), events);
    }),
    run,
  );
});

test('an empty body holds no events', () => {
  assert.deepEqual(decodeAll(new Uint8Array(0)), []);
  assert.equal(new EventWriter().take().length, 0);
});

test('a body that is cut inside an event is refused, after the events before it', () => {
  fc.assert(
    fc.property(fc.array(anyEvent, { minLength: 1, maxLength: 3 }), (events) => {
      const whole = encodeEvents(events);
      const ends = events.map((_, i) => encodeEvents(events.slice(0, i + 1)).length);
      for (let cut = 1; cut < whole.length; cut += 1) {
        if (ends.includes(cut)) continue;
        const seen: ControllerEvent[] = [];
        assert.throws(
          () => decodeEvents(whole.subarray(0, cut), (event) => seen.push(event)),
          assert.AssertionError,
        );
        assert.deepEqual(seen, events.slice(0, seen.length));
      }
    }),
    { seed: 5, numRuns: 50 },
  );
});

test('any bytes either decode or are refused', () => {
  const nearly = fc.tuple(fc.array(anyEvent), fc.nat(), fc.nat(255)).map(([events, at, value]) => {
    const bytes = Uint8Array.from(encodeEvents(events));
    if (bytes.length > 0) bytes[at % bytes.length] = value;
    return bytes;
  });
  let refused = 0;
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array(), nearly), (bytes) => {
      try {
        decodeEvents(bytes, () => {});
      } catch (error) {
        assert(error instanceof assert.AssertionError);
        refused += 1;
      }
    }),
    { seed: 5, numRuns: 2_000 },
  );
  assert(refused > 500, `only ${refused} of 2,000 were refused`);
});

test('a change of one set takes few bytes', () => {
  const event: ControllerEvent = {
    kind: 'sync-state-set-altered',
    brokerName: 'broker-12',
    syncStateSet: [1, 2, 3],
  };
  assert.equal(encodeEvents([event]).length, 1 + 1 + 'broker-12'.length + 1 + 3);
});

test('a writer knows the length of the body begun, and begins another after it was taken', () => {
  const writer = new EventWriter(16);
  const event: ControllerEvent = { kind: 'master-elected', brokerName: 'a', masterBrokerId: 1 };
  writer.append(event);
  const length = writer.byteLength;
  const first = writer.take();
  assert.equal(first.length, length);
  assert.equal(writer.byteLength, 0);
  for (let i = 0; i < 100; i += 1) writer.append(event);
  assert.deepEqual(decodeAll(first), [event]);
  assert.equal(decodeAll(writer.take()).length, 100);
});

function decodeAll(body: Uint8Array): ControllerEvent[] {
  const events: ControllerEvent[] = [];
  decodeEvents(body, (event) => events.push(event));
  return events;
}
