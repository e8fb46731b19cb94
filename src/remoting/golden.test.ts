/**
 * What the published jars wrote and read, line by line, against our codec.
 *
 * A line is `KIND input => outcome`. Every line must be understood by a check below, so a capture
 * cannot grow a line that nobody looks at.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { projectRoot } from '../lib/project-root.js';
import {
  decodeBrokerMemberGroup,
  decodeElectMasterBody,
  decodeReplicasInfo,
  decodeStringList,
  decodeSyncStateSet,
  encodeElectMasterBody,
  encodeReplicasInfo,
  encodeSyncStateSet,
} from './bodies.js';
import { decodeCommand, encodeBinary, encodeRequest, encodeResponse } from './codec.js';
import type { RemotingCommand } from './command.js';
import { BodyError, FrameError } from './errors.js';
import { readBrokerHeartbeat, readElectMaster } from './headers.js';
import { extFieldsJson } from './json-text.js';
import { parseLenientJson } from './lenient-json.js';

/** Where 5.3.3 says something else, 5.4.0 wins; these are all such lines. */
const differsIn533 = [
  "DEC {code:1004,'opaque':3}",
  'RSP2 json',
  'SSS {}',
  'LIST {}',
  'ELECTBODY as group (mqadmin)',
];
/** Where we are stricter: upstream decodes it and its handler then fails on it, with the same code 1. */
const refusedEarlier = ['LIST [1,"b"]', 'LIST {}'];
/** Where we are more lenient: upstream trips over a bare integer key in a property that it skips. */
const acceptedByUs = ['ELECTBODY as group (mqadmin)'];

const java = { language: 'JAVA', version: 479 } as const;

type Check = (outcome: string, input: string, what: string) => void;

const decoded: Check = (outcome, input) =>
  checkDecoded(() => decodeCommand(frameOf(input)), outcome, input.includes('"opaque"'));
const framing =
  (hex: string): Check =>
  (outcome) =>
    checkDecoded(() => decodeCommand(Buffer.from(hex, 'hex')), outcome, false);
const rewritten =
  (rewrite: (json: string) => string): Check =>
  (outcome) =>
    assert.equal(rewrite(outcome), quoted(outcome));

/** By the first word of a line. */
const checks = new Map<string, Check>([
  ['DEC', decoded],
  ['REQ', checkEncoded],
  ['CLEAN', checkEncoded],
  ['RSP', checkEncoded],
  ['RSP2', checkEncoded],
  ['RSP3', checkEncoded],
  ['BIN', checkBinary],
  ['unknown', framing('02000000')],
  ['hdrlen>len', framing('0000006400')],
  ['BMG', checkMemberGroup],
  ['SSS', checkSyncStateSet],
  ['LIST', checkList],
  ['ELECTBODY', checkElectBody],
  ['HDR', checkHeader],
  ['EpochEntryCache', checkEpochs],
  ['ElectBody', rewritten(reencodeElect)],
  ['ElectBodyNoGroup', rewritten(reencodeElect)],
  ['SyncStateSet', rewritten(reencodeSyncStateSet)],
  ['SyncStateSetEmpty', rewritten(reencodeSyncStateSet)],
  ['ReplicasInfo', rewritten(reencodeReplicasInfo)],
  ['ReplicasInfoEmpty', rewritten(reencodeReplicasInfo)],
]);

for (const release of ['5.3.3', '5.4.0']) {
  const file = join(projectRoot(), 'src/remoting/testdata', `golden-codec-${release}.txt`);
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  test(`the capture of ${release} is whole`, () => assert.ok(lines.length >= 50));
  for (const line of lines) {
    const [what, outcome] = line.split(' => ') as [string, string];
    if (release === '5.3.3' && differsIn533.includes(what)) continue;
    test(`${release}: ${what}`, () => {
      const space = what.indexOf(' ');
      const kind = space < 0 ? what : what.slice(0, space);
      const check = checks.get(kind);
      assert(check !== undefined, `no check for ${kind}`);
      check(outcome, space < 0 ? '' : what.slice(space + 1), what);
    });
  }
}

const epochs = {
  brokerId: 1,
  brokerName: 'b',
  clusterName: 'c',
  epochList: [{ endOffset: 9223372036854775807n, epoch: 1, startOffset: 0 }],
  maxOffset: 5,
};

function checkEpochs(outcome: string): void {
  assert.deepEqual(parseLenientJson(outcome, { numbers: 'value' }), epochs);
}

function reencodeElect(json: string): string {
  const body = decodeElectMasterBody(Buffer.from(json));
  assert(body !== null);
  return encodeElectMasterBody(body);
}

function reencodeSyncStateSet(json: string): string {
  const body = decodeSyncStateSet(Buffer.from(json));
  assert(body !== null);
  return encodeSyncStateSet(body.syncStateSet, body.syncStateSetEpoch);
}

function reencodeReplicasInfo(json: string): string {
  return encodeReplicasInfo(decodeReplicasInfo(Buffer.from(json)));
}

/** Our one deviation in writing: integer map keys are quoted. */
const quoted = (json: string): string => json.replaceAll(/([{,])(\d+):/g, '$1"$2":');

function frameOf(header: string): Buffer {
  const bytes = Buffer.from(header);
  const prefix = Buffer.alloc(4);
  prefix.writeInt32BE(bytes.length);
  return Buffer.concat([prefix, bytes]);
}

function checkDecoded(decode: () => RemotingCommand, outcome: string, hasOpaque: boolean): void {
  if (outcome.startsWith('EXC')) {
    assert.throws(decode, FrameError);
    return;
  }
  const command = decode();
  const expected = commandShown(outcome);
  // Upstream fills a missing opaque from its own counter; we say 0.
  assert.deepEqual(command, hasOpaque ? expected : { ...expected, opaque: 0 });
}

function commandShown(shown: string): RemotingCommand {
  const match =
    /code=(\d+), language=(\w+), version=(\d+), opaque=(\d+), flag\(B\)=(\d+), remark=(\w+), extFields=(.*), serializeType/.exec(
      shown,
    );
  assert(match !== null, shown);
  const [, code, language, version, opaque, flag, remark, extFields = ''] = match;
  const pairs = [...extFields.matchAll(/(\w+)=([^,}]*)/g)].map(([, key, value]) => [key, value]);
  return {
    code: Number(code),
    language: language === 'null' || language === undefined ? null : language,
    version: Number(version),
    opaque: Number(opaque),
    flag: Number.parseInt(flag ?? '', 2),
    remark: remark === 'null' || remark === undefined ? null : remark,
    extFields: extFields === 'null' ? null : Object.fromEntries(pairs),
    body: null,
  };
}

/** Decodes upstream's own text and writes the same fields: the text must come out again. */
function checkEncoded(outcome: string, _input: string, what: string): void {
  if (what === 'REQ first8') {
    assert.equal(outcome, '000000ef000000eb total=243');
    return;
  }
  const { code, opaque, flag, remark, extFields } = decodeCommand(frameOf(outcome));
  const fields = extFields === null ? null : extFieldsJson(extFields);
  const frame =
    flag === 0
      ? encodeRequest({ code, opaque, flag, extFields: fields, body: null }, java)
      : encodeResponse({ code, opaque, extFields: fields, remark, body: null }, java);
  assert.equal(frame.toString('utf8', 8), outcome);
  if (what === 'REQ json') {
    assert.equal(frame.toString('hex', 0, 8), '000000ef000000eb');
    assert.equal(frame.length, 243);
  }
}

const getReplicaInfo: RemotingCommand = {
  code: 1004,
  language: 'JAVA',
  version: 479,
  opaque: 7,
  flag: 0,
  remark: null,
  extFields: { brokerName: 'b1' },
  body: null,
};

function checkBinary(outcome: string, input: string): void {
  const frame = encodeBinary(getReplicaInfo);
  if (input === 'back') assert.deepEqual(decodeCommand(frame, 4), commandShown(outcome));
  else assert.equal(frame.toString('hex'), outcome);
}

function checkMemberGroup(outcome: string, input: string): void {
  const { cluster, brokerName, brokerAddrs } = decodeBrokerMemberGroup(Buffer.from(input));
  const addresses = [...brokerAddrs].map(([id, address]) => `${id}=${address}`).join(', ');
  const shown = `BrokerMemberGroup{cluster='${cluster}', brokerName='${brokerName}', brokerAddrs={${addresses}}}`;
  assert.equal(shown, outcome.replace(/ keyClass.*/, ''));
}

function checkSyncStateSet(outcome: string, input: string): void {
  const body = input === '' ? null : Buffer.from(input);
  if (outcome.startsWith('EXC')) {
    assert.throws(() => decodeSyncStateSet(body), BodyError);
    return;
  }
  const set = decodeSyncStateSet(body);
  const shown =
    set === null
      ? 'null'
      : `SyncStateSet{syncStateSet=[${set.syncStateSet.join(', ')}], syncStateSetEpoch=${set.syncStateSetEpoch}}`;
  assert.equal(shown, outcome.replace(/ cls=.*/, ''));
}

function checkList(outcome: string, input: string, what: string): void {
  const decode = () => decodeStringList(Buffer.from(input));
  if (outcome.startsWith('EXC') || refusedEarlier.includes(what)) {
    assert.throws(decode, BodyError);
    return;
  }
  assert.equal(`[${decode()?.join(', ')}]`, outcome.replace(/ class .*/, ''));
}

const electBody =
  '{"brokerMemberGroup":{"brokerAddrs":{1:"127.0.0.1:9000",2:"127.0.0.1:9001"},' +
  '"brokerName":"broker-set-a","cluster":"cluster-a"},"syncStateSet":[1]}';

function checkElectBody(outcome: string, _input: string, what: string): void {
  if (acceptedByUs.includes(what)) {
    const group = decodeBrokerMemberGroup(Buffer.from(electBody));
    assert.deepEqual(group, { cluster: null, brokerName: null, brokerAddrs: new Map() });
    return;
  }
  const body = decodeElectMasterBody(Buffer.from(electBody));
  const group = body?.brokerMemberGroup;
  assert(body !== null && group !== null && group !== undefined);
  const addresses = [...group.brokerAddrs].map(([id, address]) => `${id}=${address}`).join(', ');
  assert.ok(outcome.includes(`cluster='${group.cluster}', brokerName='${group.brokerName}'`));
  assert.ok(outcome.includes(`brokerAddrs={${addresses}}`));
  assert.ok(outcome.includes(`syncStateSet='[${body.syncStateSet.join(', ')}]`));
}

function checkHeader(outcome: string, input: string): void {
  if (!input.startsWith('[')) {
    const beat = readBrokerHeartbeat(input === 'hb missing' ? { brokerId: '1' } : null);
    assert.equal(`${beat.brokerId} ${beat.clusterName}`, outcome);
    return;
  }
  const [, name = '', value = ''] = /^\[(\w+), (.*)\]$/.exec(input) ?? [];
  const header = readElectMaster({ [name]: value });
  const { clusterName, brokerName, brokerId, designateElect, invokeTime } = header;
  const shown = `ElectMasterRequestHeader{clusterName='${clusterName}', brokerName='${brokerName}', brokerId=${brokerId}, designateElect=${designateElect}}`;
  assert.equal(shown, outcome.replace(/ inv=.*/, ''));
  assert.equal(invokeTime, null);
}
