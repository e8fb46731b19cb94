import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { putIfAt } from './etcd-client.js';
import { fieldsOf, message, messageField, numberField } from './protobuf.js';

test('protobuf: the example of its specification', () => {
  assert.equal(message([1, 150]).toString('hex'), '089601');
  assert.equal(message([2, Buffer.from('testing')]).toString('hex'), '120774657374696e67');
});

test('protobuf: what was written is read again', () => {
  const field = fc.tuple(
    fc.integer({ min: 1, max: 500 }),
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  );
  fc.assert(
    fc.property(fc.uniqueArray(field, { selector: ([number]) => number }), (fields) => {
      assert.deepEqual([...fieldsOf(message(...fields))], fields);
    }),
  );
});

test('protobuf: what is not there is 0 or empty, fixed fields are passed over', () => {
  const fields = fieldsOf(Buffer.from('0901020304050607080d010203042001', 'hex'));
  assert.deepEqual([...fields], [[4, 1n]]);
  assert.equal(numberField(fields, 9), 0n);
  assert.deepEqual([...messageField(fields, 9)], []);
});

for (const [name, hex] of [
  ['ends within a varint', '0896'],
  ['ends within a field', '120774'],
  ['has an unknown wire type', '0b'],
  ['has a varint without an end', `08${'ff'.repeat(11)}`],
] as const) {
  test(`protobuf: a message that ${name} is refused`, () => {
    assert.throws(() => fieldsOf(Buffer.from(hex, 'hex')), RangeError);
  });
}

test('etcd: a change is a put behind a comparison of the revision that was seen', () => {
  const transaction = fieldsOf(putIfAt(7, 41n));
  const compare = messageField(transaction, 1);
  // compare.target 2 is MOD; result 0, which is EQUAL, is left out.
  assert.deepEqual([numberField(compare, 1), numberField(compare, 2)], [0n, 2n]);
  assert.deepEqual([String(compare.get(3)), numberField(compare, 6)], ['broker-sets/7', 41n]);
  const put = messageField(messageField(transaction, 2), 2);
  assert.equal(String(put.get(1)), 'broker-sets/7');
  assert.equal(JSON.parse(String(put.get(2))).syncStateSetEpoch, 41);
});
