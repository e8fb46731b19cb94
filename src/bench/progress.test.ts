import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createProgress, type ProgressState, progressLine } from './progress.js';

const state: ProgressState = {
  where: '[12/80] optimized isr-churn',
  phase: 'measure',
  asked: null,
  achieved: 87_654.4,
  p50Us: 9_870,
  p99Us: 33_000,
  errors: 0,
};

const lines: readonly { name: string; change: Partial<ProgressState>; reads: string }[] = [
  {
    name: 'a closed loop shows what was achieved',
    change: {},
    reads: '1:05 [12/80] optimized isr-churn  measure  87,654/s  p50 9.87 p99 33 ms',
  },
  {
    name: 'an open loop shows what was asked too',
    change: { asked: 2_000, achieved: 1_998 },
    reads: '1:05 [12/80] optimized isr-churn  measure  1,998 of 2,000/s  p50 9.87 p99 33 ms',
  },
  {
    name: 'a phase without rates shows its name',
    change: { phase: 'starting', achieved: null, p50Us: null, p99Us: null },
    reads: '1:05 [12/80] optimized isr-churn  starting',
  },
  {
    name: 'what did not succeed is counted',
    change: { achieved: null, p50Us: null, p99Us: null, errors: 1_234 },
    reads: '1:05 [12/80] optimized isr-churn  measure  1,234 not ok',
  },
];

for (const { name, change, reads } of lines) {
  test(name, () => assert.equal(progressLine({ ...state, ...change }, 65_000), reads));
}

/** Just enough of a stream. */
function fakeOut(isTTY: boolean) {
  const written: string[] = [];
  const write = (text: string): boolean => {
    written.push(text);
    return true;
  };
  return { written, stream: { isTTY, columns: 80, write } as unknown as NodeJS.WriteStream };
}

test('without a terminal: whole lines, not more than one in two seconds', () => {
  const { written, stream } = fakeOut(false);
  let nowMs = 0;
  const progress = createProgress(stream, () => nowMs);
  for (nowMs = 0; nowMs <= 5_000; nowMs += 500) progress.update(state);
  progress.stop();
  assert.equal(written.length, 3);
  for (const line of written) assert.match(line, /^\d:\d\d .*\n$/);
});

test('on a terminal: one living line, cleared for what stays, never wider than the screen', () => {
  const { written, stream } = fakeOut(true);
  let nowMs = 0;
  const progress = createProgress(stream, () => nowMs);
  progress.update({ ...state, where: 'x'.repeat(200) });
  nowMs = 1_000;
  progress.note('a note');
  progress.stop();
  const [drawn = '', cleared, note] = written;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are control characters
  assert.ok(drawn.replaceAll(/\u001b\[\d+m/g, '').length < 80);
  assert.ok(!drawn.includes('\n'));
  assert.equal(cleared, '\r\u001b[2K');
  assert.equal(note, 'a note\n');
});
