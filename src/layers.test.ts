/**
 * Holds the shape of the source tree: who may import whom, what pure code may touch, and what no
 * file may be without. ARCHITECTURE.md says why; this test only says where.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { test } from 'node:test';
import { projectRoot } from './lib/project-root.js';

/** From the bottom. A folder may import its own files and those of lower layers. */
const LAYERS: readonly (readonly string[])[] = [
  ['src/lib'],
  ['src/raft', 'src/controller', 'src/remoting'],
  ['src/storage', 'src/net'],
  ['src/client', 'src/measure', 'src/engine'],
  ['src/load', 'src/workload', 'src/server', 'src/kv'],
  ['src/report', 'src/analyze', 'src/target', 'baseline', 'optimized'],
  ['src/bench', 'src/brokers', 'src/conformance', 'src/sim'],
  ['src/cli', 'scripts', 'examples', 'src'],
];
/** The only steps to the side. */
const SIDEWAYS = new Set([
  'src/load → src/workload',
  'src/report → src/analyze',
  'src/kv → src/server',
]);
const PURE = new Set(LAYERS[1]);
/** A report can be redone from its files, on another machine, next year. */
const READS_RESULTS_ONLY = new Set(['src/report', 'src/analyze']);
const OF_RESULTS = new Set(['src/lib', 'src/measure', 'src/analyze', 'src/report']);
/** Whoever measures knows no controller from within, so that any controller can be measured. */
const MEASURES_ANY = new Set(['src/load', 'src/client', 'src/workload']);
const INSIDES = new Set(['src/raft', 'src/controller', 'src/storage', 'src/engine', 'src/server']);
const BUILDS = new Set(['baseline', 'optimized']);
/** Started as processes, workers or by hand, so nobody imports them. */
const ENTRY_POINTS = new Set([
  'src/cli/main.ts',
  'src/cli/sim-worker.ts',
  'src/load/worker.ts',
  'src/sim/mutants/hooks.ts',
  'src/sim/mutants/register.ts',
  'src/target/floor-node.ts',
]);

interface Source {
  /** From the root of the package, with `/`. */
  readonly path: string;
  readonly text: string;
}

interface Import {
  readonly specifier: string;
  readonly line: number;
  /** The file it names; null for packages and `node:` modules. */
  readonly to: string | null;
}

test('the source tree keeps its layers', () => {
  const sources = readSources(['src', 'baseline', 'optimized', 'scripts', 'examples']);
  assert(sources.length > 50, 'the tree was not found');
  assert.deepEqual(violations(sources), []);
});

const planted: readonly {
  readonly rule: string;
  readonly files: Readonly<Record<string, string>>;
  readonly found: readonly string[];
}[] = [
  {
    rule: 'downward, own folder, packages and allowed steps to the side pass',
    files: {
      'src/cli/main.ts': `/** a */\nimport '../load/a.js';\nimport { b } from 'commander';\nimport '../report/r.js';`,
      'src/load/a.ts': `/** a */\nimport type { b } from '../workload/b.js';\nimport './c.js';`,
      'src/load/c.ts': `/** a */\nimport fs from 'node:fs';`,
      'src/workload/b.ts': '/** a */',
      'src/report/r.ts': `/** a */\nimport '../analyze/s.js';`,
      'src/analyze/s.ts': `/** a */`,
    },
    found: [],
  },
  {
    rule: 'no import goes up',
    files: { 'src/raft/a.test.ts': `/** a */\nimport {\n  b,\n} from '../engine/b.js';` },
    found: ['src/raft/a.test.ts:2: src/raft must not import src/engine'],
  },
  {
    rule: 'no import goes to the side, not even a lazy one',
    files: { 'src/net/a.test.ts': `/** a */\n\nconst b = await import('../storage/b.js');` },
    found: ['src/net/a.test.ts:3: src/net must not import src/storage'],
  },
  {
    rule: 're-exports are imports',
    files: { 'src/workload/a.test.ts': `/** a */\nexport { b } from '../load/b.js';` },
    found: ['src/workload/a.test.ts:2: src/workload must not import src/load'],
  },
  {
    rule: 'a folder that is in no layer is refused',
    files: { 'src/utils/a.test.ts': '/** a */' },
    found: ['src/utils/a.test.ts:1: src/utils is in no layer'],
  },
  {
    rule: 'only the command line knows the builds',
    files: {
      'src/bench/a.test.ts': `/** a */\nimport '../../optimized/controller.js';`,
      'src/cli/b.test.ts': `/** a */\nimport '../../optimized/controller.js';`,
    },
    found: ['src/bench/a.test.ts:2: only src/cli may import optimized'],
  },
  {
    rule: 'what measures knows no insides',
    files: { 'src/load/a.test.ts': `/** a */\nimport '../raft/types.js';` },
    found: ['src/load/a.test.ts:2: src/load measures any controller: not src/raft'],
  },
  {
    rule: 'reports read results only',
    files: { 'src/report/a.test.ts': `/** a */\nimport '../server/config.js';` },
    found: ['src/report/a.test.ts:2: src/report reads result files only: not src/server'],
  },
  {
    rule: 'pure code imports no world but node:assert; its tests may',
    files: {
      'src/cli/main.ts': `/** a */\nimport '../raft/a.js';`,
      'src/raft/a.ts': `/** a */\nimport assert from 'node:assert/strict';\nimport fs from 'node:fs';\nimport { z } from 'zod';`,
      'src/raft/a.test.ts': `/** a */\nimport fs from 'node:fs';`,
    },
    found: ['src/raft/a.ts:3: pure code imports node:fs', 'src/raft/a.ts:4: pure code imports zod'],
  },
  {
    rule: 'pure code has no clock, no chance, no promises; its words may say so',
    files: {
      'src/cli/main.ts': `/** a */\nimport '../raft/a.js';`,
      'src/raft/a.ts': `/** no Date */\n// Promise\nconst a = 'process';\nconst b = Date.now();\nasync function c() {}`,
    },
    found: ['src/raft/a.ts:4: pure code uses Date', 'src/raft/a.ts:5: pure code uses async'],
  },
  {
    rule: 'chance comes from seeds alone',
    files: { 'src/bench/a.test.ts': `/** a */\nconst a = Math.random();` },
    found: ['src/bench/a.test.ts:2: chance without a seed: use lib/prng'],
  },
  {
    rule: 'dead files are found',
    files: { 'src/lib/a.ts': '/** a */', 'src/lib/b.ts': `/** b */\nimport './b.js';` },
    found: ['src/lib/a.ts:1: nobody imports it', 'src/lib/b.ts:1: nobody imports it'],
  },
  {
    rule: 'a file says first what it is for',
    files: {
      'scripts/a.ts': `import './b.js';\n/** a */`,
      'scripts/b.ts': '#!/bin/x\n/** b */',
      'scripts/b.test.ts': `import './b.js';`,
    },
    found: ['scripts/a.ts:1: does not open with what it is for'],
  },
  {
    rule: 'nothing is put off or left out',
    files: {
      'src/lib/a.test.ts': `/** a */\n// ${'TO'}DO later\n// ${'FIX'}ME now\ntest.${'only'}('b', c);\nt.${'skip'}();`,
    },
    found: [
      `src/lib/a.test.ts:2: unfinished: ${'TO'}DO`,
      `src/lib/a.test.ts:3: unfinished: ${'FIX'}ME`,
      `src/lib/a.test.ts:4: a test that does not run`,
      `src/lib/a.test.ts:5: a test that does not run`,
    ],
  },
];
for (const { rule, files, found } of planted) {
  test(`layers: ${rule}`, () => {
    const sources = Object.entries(files).map(([path, text]) => ({ path, text }));
    assert.deepEqual(violations(sources), found);
  });
}

/** Everything wrong in the tree, as `file:line: rule`. */
function violations(sources: readonly Source[]): string[] {
  const imported = new Set(
    sources.flatMap((source) =>
      importsOf(source).flatMap(({ to }) => (to === null || to === source.path ? [] : [to])),
    ),
  );
  return sources.flatMap((source) => [
    ...importsAgainstLayers(source),
    ...impurities(source),
    ...blemishes(source),
    ...(mayStandAlone(source.path) || imported.has(source.path)
      ? []
      : [`${source.path}:1: nobody imports it`]),
  ]);
}

function importsAgainstLayers(source: Source): string[] {
  const from = folderOf(source.path);
  if (layerOf(from) < 0) return [`${source.path}:1: ${from} is in no layer`];
  return importsOf(source).flatMap(({ to, line }) => {
    const why = to === null ? null : againstLayers(from, folderOf(to));
    return why === null ? [] : [`${source.path}:${line}: ${why}`];
  });
}

function againstLayers(from: string, to: string): string | null {
  if (from === to) return null;
  if (BUILDS.has(to) && from !== 'src/cli' && from !== 'scripts') {
    return `only src/cli may import ${to}`;
  }
  if (READS_RESULTS_ONLY.has(from) && !OF_RESULTS.has(to)) {
    return `${from} reads result files only: not ${to}`;
  }
  if (MEASURES_ANY.has(from) && INSIDES.has(to))
    return `${from} measures any controller: not ${to}`;
  if (layerOf(to) < layerOf(from) || SIDEWAYS.has(`${from} → ${to}`)) return null;
  return `${from} must not import ${to}`;
}

const IMPURE =
  /\b(Date|process|setTimeout|setInterval|setImmediate|queueMicrotask|performance|Promise|async|await)\b/g;

function impurities({ path, text }: Source): string[] {
  if (!PURE.has(folderOf(path)) || path.endsWith('.test.ts')) return [];
  const modules = importsOf({ path, text })
    .filter(({ specifier, to }) => to === null && !specifier.startsWith('node:assert'))
    .map(({ specifier, line }) => `${path}:${line}: pure code imports ${specifier}`);
  const uses = found({ path, text: codeOnly(text) }, IMPURE, (word) => `pure code uses ${word}`);
  return [...modules, ...uses];
}

function blemishes({ path, text }: Source): string[] {
  const source = { path, text };
  // What a test file is for is its name.
  const opens = path.endsWith('.test.ts') || /^(#!.*\n)?\/\*\*/.test(text);
  return [
    ...(opens ? [] : [`${path}:1: does not open with what it is for`]),
    ...found(
      { path, text: codeOnly(text) },
      /\bMath\.random\b/g,
      () => 'chance without a seed: use lib/prng',
    ),
    ...found(source, /\b(?:TO[D]O|FIX[M]E)\b/g, (word) => `unfinished: ${word}`),
    ...found(
      source,
      /\b(?:test|t|describe|it)\.(?:only|skip|todo)\(/g,
      () => 'a test that does not run',
    ),
  ];
}

function found({ path, text }: Source, pattern: RegExp, say: (word: string) => string): string[] {
  return [...text.matchAll(pattern)].map(
    (match) => `${path}:${lineAt(text, match.index)}: ${say(match[0])}`,
  );
}

/** Formatted code has its imports at the start of a line; lazy ones are anywhere. */
const IMPORTS =
  /^(?:import|export)\s[\w\s,{}*$]*?from '([^']+)'|^import '([^']+)'|\bimport\('([^']+)'\)/gm;

function importsOf({ path, text }: Source): Import[] {
  return [...text.matchAll(IMPORTS)].map((match) => {
    const specifier = match[1] ?? match[2] ?? match[3] ?? '';
    const to = specifier.startsWith('.')
      ? posix.join(posix.dirname(path), specifier).replace(/\.js$/, '.ts')
      : null;
    return { specifier, line: lineAt(text, match.index), to };
  });
}

/** Comments and texts become blanks, lines stay where they are. */
function codeOnly(text: string): string {
  const tokens =
    /\/\*[\s\S]*?\*\/|\/\/.*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\[\s\S]|[^`\\])*`/g;
  return text.replace(tokens, (token) => token.replace(/[^\n]/g, ' '));
}

function mayStandAlone(path: string): boolean {
  return path.endsWith('.test.ts') || /^(scripts|examples)\//.test(path) || ENTRY_POINTS.has(path);
}

function folderOf(path: string): string {
  const parts = posix.dirname(path).split('/');
  return parts.slice(0, parts[0] === 'src' ? 2 : 1).join('/');
}

function layerOf(folder: string): number {
  return LAYERS.findIndex((layer) => layer.includes(folder));
}

function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

function readSources(folders: readonly string[]): Source[] {
  const root = projectRoot();
  return folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => posix.join(folder, name.replaceAll('\\', '/')))
      .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') })),
  );
}
