import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { compare } from '../analyze/compare.js';
import { sampleAgainstItself, sampleResults } from '../analyze/sample.js';
import type { Results, Trial } from '../measure/results.js';
import { matchesGolden } from './golden.js';
import { reportHtml } from './html.js';
import { summaryMarkdown } from './markdown.js';
import { reportView } from './model.js';
import { COLUMNS_MAX, terminalSummary } from './terminal.js';
import { redoReport, writeReport } from './write.js';

const environment = {
  cpu: { brand: 'Example CPU', cores: 2 },
  memoryBytes: 8 * 2 ** 30,
  node: { version: 'v20.20.2' },
  loadAverage: [0.1, 0.2],
  nothing: null,
};
const sample = sampleResults();
const viewOf = (results: Results) => reportView(results, compare(results), environment);
const change = (results: Results, of: (trial: Trial) => Partial<Trial>): Results => ({
  ...results,
  trials: results.trials.map((trial) => ({ ...trial, ...of(trial) })),
});
const only = (results: Results, ...targets: readonly string[]): Results => ({
  ...results,
  targets: results.targets.filter(({ name }) => targets.includes(name)),
  trials: results.trials.filter(({ target }) => targets.includes(target)),
});
const swapped = change(sample, ({ target }) => ({
  target: target.replace(/^baseline$|^optimized$/, (name) =>
    name === 'baseline' ? 'optimized' : 'baseline',
  ),
}));

const headlines: readonly { readonly results: Results; readonly says: string }[] = [
  { results: sample, says: 'optimized is faster than baseline in all 9 workloads.' },
  { results: swapped, says: 'optimized is slower than baseline in all 9 workloads.' },
  {
    results: sampleAgainstItself({ noise: 0.01, rounds: 6 }),
    says: 'No difference shown between optimized and baseline.',
  },
  {
    results: sampleResults({ rounds: 2 }),
    says: 'Too few trials to say: each side needs 3 valid rounds.',
  },
  {
    results: only(sample, 'baseline', 'floor'),
    says: 'Only baseline was measured: there is nothing to compare it with.',
  },
  { results: { ...sample, targets: [], trials: [] }, says: 'Nothing was measured.' },
  {
    results: change(sample, () => ({ status: 'invalid', reasons: ['too late'] })),
    says: 'No workload has valid trials of both optimized and baseline.',
  },
  {
    results: { ...sample, run: { ...sample.run, partial: true } },
    says: 'optimized is faster than baseline in all 9 workloads. (partial run)',
  },
];
for (const { results, says } of headlines) {
  test(`verdict: ${says}`, () => {
    const view = viewOf(results);
    assert.equal(view.verdict.headline, says);
    assert.equal(terminalSummary(view).split('\n')[0], says);
    assert.ok(summaryMarkdown(view).startsWith(`# ${says}\n`));
  });
}

const spoilt = change(sample, ({ workload, target, round }) => {
  if (workload === 'mixed' && target === 'optimized' && round === 2) {
    return { status: 'invalid', reasons: ['the generator was late: p99 12 ms, 2 ms allowed'] };
  }
  if (workload === 'steady-state' && target === 'optimized' && round === 3) {
    return {
      faults: [{ kind: 'member-exit', member: 'n1', atMs: 3_100, gapMs: 420, planned: false }],
    };
  }
  return workload === 'heartbeats' && target === 'baseline'
    ? { status: 'partial', reasons: ['interrupted'] }
    : {};
});

test('the terminal summary is as reviewed, within 80 columns', () => {
  const summary = terminalSummary(viewOf(spoilt));
  matchesGolden('terminal.txt', summary);
  for (const line of summary.split('\n')) assert.ok(line.length <= COLUMNS_MAX, line);
});

test('the Markdown summary is as reviewed', () => {
  matchesGolden('summary.md', summaryMarkdown(viewOf(spoilt)));
});

test('what was left out, and what happened unasked, is said before the numbers', () => {
  const { warnings, verdict } = viewOf(spoilt);
  assert.deepEqual(warnings, [
    'heartbeats/baseline round 1 is partial: interrupted.',
    'heartbeats/baseline round 2 is partial: interrupted.',
    'heartbeats/baseline round 3 is partial: interrupted.',
    'mixed/optimized round 2 is invalid: the generator was late: p99 12 ms, 2 ms allowed.',
    'steady-state/optimized round 3: n1 (member-exit) at 3.1 s, not by the bench; next acknowledged write after 420 ms.',
  ]);
  assert.ok(verdict.sentences.includes('No valid trial of heartbeats on baseline.'));
});

test('a leader that was killed and never replaced is not passed over', () => {
  const dead = change(sample, ({ workload, target, round, faults }) =>
    workload === 'leader-kill' && target === 'baseline' && round === 1
      ? { faults: faults.map(({ gapMs: _, ...fault }) => fault), figures: {} }
      : {},
  );
  assert.deepEqual(viewOf(dead).warnings, [
    'leader-kill/baseline round 1: no acknowledged write followed the kill of the leader.',
  ]);
});

const awkward: readonly { readonly name: string; readonly results: Results }[] = [
  ...headlines.map(({ says, results }) => ({ name: says, results })),
  { name: 'windows of no length', results: change(sample, () => ({ measuredMs: 0 })) },
  {
    name: 'no intervals, no processes',
    results: change(sample, () => ({ intervals: [], processes: [] })),
  },
  { name: 'workloads that the run did not list', results: { ...sample, workloads: [] } },
  {
    name: 'nothing answered',
    results: change(sample, (trial) => ({
      operations: trial.operations.map((each) => ({ ...each, ok: 0, responseTime: '' })),
    })),
  },
];
for (const { name, results } of awkward) {
  test(`a page is made of: ${name}`, async () => {
    const html = await reportHtml(viewOf(results));
    assert.doesNotMatch(html, /NaN|Infinity|undefined|\[object/);
    const ids = [...html.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
    assert.deepEqual(ids, [...new Set(ids)], 'an id is used twice');
    assert.ok(html.length < 1_500_000, `${html.length} bytes`);
  });
}

test('names from files are text, never markup', async () => {
  const evil = '<script>alert(1)</script>';
  const renamed = change(only(sample, 'baseline', 'optimized'), ({ target, workload }) => ({
    target: target === 'optimized' ? evil : target,
    workload: workload === 'isr-churn' ? `"><img src=x onerror=1>` : workload,
  }));
  const results = {
    ...renamed,
    targets: renamed.targets.map((target) =>
      target.name === 'optimized' ? { ...target, name: evil } : target,
    ),
  };
  const view = reportView(results, compare(results), { [evil]: evil });
  const page = await reportHtml(view);
  assert.doesNotMatch(page, /<script|<img/);
  assert.match(page, /&lt;script&gt;/);
  assert.doesNotMatch(summaryMarkdown(view), /<script|<img/);
});

test('a report redone from its files is the same report', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'quorumark-report-'));
  const read = () =>
    Promise.all(
      ['comparison.json', 'report.html', 'summary.md', 'headline.svg'].map((name) =>
        readFile(join(directory, name), 'utf8'),
      ),
    );
  try {
    const written = await writeReport(directory, sample, environment);
    await writeFile(join(directory, 'results.json'), JSON.stringify(sample));
    await writeFile(join(directory, 'environment.json'), JSON.stringify(environment));
    const first = await read();
    assert.deepEqual(await redoReport(directory), written);
    const again = await read();
    for (const [index, content] of again.entries())
      assert.ok(content === first[index], `file ${index}`);
    assert.match(
      first[3] ?? '',
      /^<svg [\s\S]*Writes[\s\S]*Proved reads[\s\S]*Fail-over[\s\S]*<\/svg>\n$/,
    );
  } finally {
    await rm(directory, { recursive: true });
  }
});

const broken: readonly {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  readonly says: RegExp;
}[] = [
  { name: 'no results', files: {}, says: /results\.json: cannot be read$/ },
  {
    name: 'cut off',
    files: { 'results.json': '{"schemaVersion":' },
    says: /results\.json: not JSON$/,
  },
  {
    name: 'another version',
    files: { 'results.json': '{"schemaVersion":99}' },
    says: /results\.json: [\s\S]*schemaVersion/,
  },
  {
    name: 'no environment',
    files: { 'results.json': JSON.stringify({ ...sample, trials: [] }) },
    says: /environment\.json: cannot be read$/,
  },
  {
    name: 'an environment that is a list',
    files: {
      'results.json': JSON.stringify({ ...sample, trials: [] }),
      'environment.json': '[]',
    },
    says: /environment\.json: not an object$/,
  },
];
for (const { name, files, says } of broken) {
  test(`a directory with ${name} is refused by the file's name, and nothing is written`, async () => {
    const directory = await mkdtemp(join(tmpdir(), 'quorumark-report-'));
    try {
      for (const [file, content] of Object.entries(files)) {
        await writeFile(join(directory, file), content);
      }
      await assert.rejects(redoReport(directory), { code: 'RESULTS_INVALID', message: says });
      await assert.rejects(readFile(join(directory, 'report.html')), { code: 'ENOENT' });
    } finally {
      await rm(directory, { recursive: true });
    }
  });
}

/** The sample with a Java peer in each class and a reference store, made of others' figures. */
const withPeers: Results = (() => {
  const kinds = {
    'java-dledger': ['baseline', 'java', 'background'],
    'java-jraft': ['baseline@group', 'java', 'group'],
    etcd: ['optimized@group', 'reference', 'group'],
  } as const;
  const copies = Object.entries(kinds).map(([name, [like, kind, durability]]) => ({
    target: { ...targetNamed(like), name, kind, durability },
    trials: sample.trials
      .filter(({ target }) => target === like)
      .map((trial) => ({ ...trial, target: name })),
  }));
  return {
    ...sample,
    targets: [...sample.targets, ...copies.map(({ target }) => target)],
    trials: [...sample.trials, ...copies.flatMap(({ trials }) => trials)],
  };
})();

function targetNamed(name: string): Results['targets'][number] {
  const found = sample.targets.find((target) => target.name === name);
  assert.ok(found !== undefined);
  return found;
}

test('five targets and a reference store stand in the terminal, in their classes', () => {
  const summary = terminalSummary(viewOf(withPeers));
  for (const line of summary.split('\n')) assert.ok(line.length <= COLUMNS_MAX, line);
  const [, background = '', group = ''] = summary.split(/^(?=background|group)/m);
  assert.match(background, /^java-dledger {3}isr-churn .*\/s .*=$/m);
  assert.doesNotMatch(background, /java-jraft|etcd/);
  assert.match(group, /^java-jraft {5}isr-churn .*\/s .*=$/m);
  assert.match(group, /^etcd {11}isr-churn .*\/s +reference$/m);
  assert.match(
    summary.replace(/\n +/g, ' '),
    /never across: background \(baseline, optimized, .*java-dledger\); group \(baseline@group, optimized@group and java-jraft\)\./,
  );
});

test('a reference store alone has its rows', () => {
  const summary = terminalSummary(viewOf(only(withPeers, 'etcd')));
  assert.match(summary, /^Only etcd was measured: no controller to compare\.\n/);
  assert.match(summary, /^etcd {11}isr-churn .*\/s +reference$/m);
});

test('what may be concluded from a reference store is said where there is one', async () => {
  const says = async (results: Results) =>
    /<h3>Reference stores<\/h3><p>[^<]*elect no masters[^<]*a sync and a get/.test(
      await reportHtml(viewOf(results)),
    );
  assert.equal(await says(withPeers), true);
  assert.equal(await says(only(withPeers, 'baseline', 'java-dledger')), false);
});

test('what was measured before a target was steady is marked wherever its value stands', async () => {
  const view = viewOf(
    change(withPeers, ({ workload, target, round }) =>
      workload === 'isr-churn' && /^java-dledger$|^optimized$/.test(target)
        ? { warmUp: { windowMs: 2_000, ratesPerSecond: [10, 2_000], steady: round > 1 } }
        : {},
    ),
  );
  const summary = terminalSummary(view);
  const marked = summary.split('\n').filter((line) => line.includes('/s~'));
  assert.deepEqual(
    marked.map((line) => line.split(/ {2,}/)[0]),
    ['isr-churn', 'java-dledger'],
  );
  assert.match(summary, /^.*~ before it was steady$/m);
  for (const line of summary.split('\n')) assert.ok(line.length <= COLUMNS_MAX, line);
  assert.deepEqual([...view.warnings].sort(), [
    'isr-churn/java-dledger round 1 was measured before its rates were steady: 10, 2,000/s.',
    'isr-churn/optimized round 1 was measured before its rates were steady: 10, 2,000/s.',
  ]);
  // The rate of each, and two percentiles of `optimized` beside it.
  const rows = (page: string, ends: string): number =>
    page.split(/\n|<tr/).filter((row) => row.includes(ends)).length;
  assert.equal(rows(summaryMarkdown(view), ', not steady) |'), 4);
  assert.equal(rows(await reportHtml(view), 'not steady</span>'), 4);
});

test('a reference store is compared with nothing, and never challenges', () => {
  const { others, casts } = viewOf(withPeers);
  const rows = others.filter(({ target }) => target === 'etcd');
  assert.ok(rows.length > 0);
  assert.ok(rows.every(({ verdict }) => verdict === undefined));
  const alone = viewOf(only(withPeers, 'baseline@group', 'etcd'));
  assert.match(alone.verdict.headline, /^Only baseline@group was measured/);
  assert.ok(casts.every(({ challenger }) => challenger?.kind === 'build'));
});
