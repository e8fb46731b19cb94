/**
 * The report in a real browser: charts drawn, nothing fetched, nothing complained about, readable on a
 * phone and on a desk, light and dark.
 *
 * `QUORUMARK_BROWSER=optional` lets a machine without the browser's system libraries pass.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import chromium from '@sparticuz/chromium';
import { type Browser, chromium as launcher, type Page } from 'playwright-core';
import { sampleResults } from '../analyze/sample.js';
import { challenger, paper, reference } from './palette.js';
import { writeReport } from './write.js';

let directory = '';
let url = '';
let headlineUrl = '';
let browser: Browser | undefined;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'quorumark-browser-'));
  const written = await writeReport(directory, sampleResults(), { cpu: { brand: 'Example' } });
  url = pathToFileURL(written.html).href;
  headlineUrl = pathToFileURL(written.headline ?? '').href;
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await rm(directory, { recursive: true, force: true });
});

async function launch(): Promise<Browser | undefined> {
  try {
    // One process for all pages dies with its first context.
    const args = chromium.args.filter((arg) => arg !== '--single-process');
    return await launcher.launch({
      executablePath: await chromium.executablePath(),
      args: [...args, '--no-sandbox'],
    });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
    console.error(`The headless browser did not start: ${why}`);
    const { QUORUMARK_BROWSER } = process.env;
    if (QUORUMARK_BROWSER === 'optional') return undefined;
    throw new Error('the browser test needs a browser', { cause });
  }
}

interface Visit {
  readonly page: Page;
  readonly complaints: readonly string[];
  readonly requests: readonly string[];
}

async function visit(
  address: string,
  { width, colorScheme }: { readonly width: number; readonly colorScheme: 'light' | 'dark' },
  look: (visit: Visit) => Promise<void>,
): Promise<void> {
  if (browser === undefined) return;
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme });
  try {
    const page = await context.newPage();
    const complaints: string[] = [];
    const requests: string[] = [];
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('request', (request) => requests.push(request.url()));
    await page.goto(address, { waitUntil: 'load' });
    await look({ page, complaints, requests });
  } finally {
    await context.close();
  }
}

interface Box {
  readonly label: string;
  readonly width: number;
  readonly height: number;
  readonly marks: number;
  /** Of its labels, as they appear on the screen. */
  readonly fontPixels: number;
}

const chartBoxes = `[...document.querySelectorAll('main svg')].map((svg) => {
  const { width, height } = svg.getBoundingClientRect();
  const scale = width / svg.viewBox.baseVal.width;
  return {
    label: svg.getAttribute('aria-label'), width, height,
    marks: svg.querySelectorAll('path, line').length,
    fontPixels: 12 * scale,
  };
})`;
/** What sticks out of the page and cannot be scrolled to within its own box. */
const overflowing = `[...document.querySelectorAll('body *')].filter((element) =>
  element.getBoundingClientRect().right > document.documentElement.clientWidth + 1
  && !element.closest('.scroll') && !element.closest('svg')).map((element) => element.outerHTML.slice(0, 120))`;

for (const colorScheme of ['light', 'dark'] as const) {
  for (const width of [400, 1400]) {
    test(`the report is whole at ${width} px, ${colorScheme}`, async () => {
      await visit(url, { width, colorScheme }, async ({ page, complaints, requests }) => {
        const boxes = await page.evaluate<Box[]>(chartBoxes);
        assert.ok(boxes.length > 40, `${boxes.length} charts`);
        for (const { label, width: wide, height, marks, fontPixels } of boxes) {
          assert.ok(
            wide > 200 && height > 40 && marks > 3,
            `${label}: ${wide} × ${height}, ${marks}`,
          );
          assert.ok(fontPixels >= 9, `${label}: labels of ${fontPixels} px`);
        }
        const scrolls = await page.evaluate<number>('document.documentElement.scrollWidth');
        assert.ok(scrolls <= width, `the page is ${scrolls} px wide`);
        assert.deepEqual(await page.evaluate(overflowing), []);

        const background = await page.evaluate<string>(
          'getComputedStyle(document.body).backgroundColor',
        );
        assert.equal(background, rgb(paper[colorScheme]));
        for (const { light, [colorScheme]: expected } of [reference, challenger]) {
          const fill = await page.evaluate<string>(
            `getComputedStyle(document.querySelector('.chart [fill="${light}"]')).fill`,
          );
          assert.equal(fill, rgb(expected));
        }
        assert.deepEqual(complaints, []);
        assert.deepEqual(requests, [url]);
      });
    });
  }
}

function rgb(hex: string): string {
  const [red, green, blue] = [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));
  return `rgb(${red}, ${green}, ${blue})`;
}

test('the verdict is the first heading, and every section has one', async () => {
  await visit(url, { width: 1400, colorScheme: 'light' }, async ({ page }) => {
    const headings = await page.evaluate<string[]>(
      `[...document.querySelectorAll('h1, h2')].map((heading) => heading.textContent)`,
    );
    assert.deepEqual(headings, [
      'optimized is faster than baseline in all 9 workloads.',
      'Summary',
      'The main measure of each workload',
      'Reads, by what an answer proves',
      'Response time by percentile',
      'Over time',
      'Throughput against latency',
      'CPU and memory',
      'Trials',
      'Environment',
      'How to read it, method and limits',
    ]);
    const nameless = await page.evaluate<number>(
      `document.querySelectorAll('svg:not([aria-label]), th:not([scope]), section:not([aria-labelledby])').length`,
    );
    assert.equal(nameless, 0);
    const lost = await page.evaluate<string[]>(
      `[...document.querySelectorAll('nav a')].map((link) => link.hash).filter((hash) => !document.querySelector(hash))`,
    );
    assert.deepEqual(lost, []);
  });
});

test('the gap of a killed leader can be seen, and says its length', async () => {
  await visit(url, { width: 1400, colorScheme: 'light' }, async ({ page }) => {
    const figure = page.locator('#time figure', { hasText: 'leader-kill: baseline' });
    assert.match(
      (await figure.textContent()) ?? '',
      /leader killed \(n0\): no write for (7\.9|8\.0)\d* s/,
    );
    const bands = figure.locator('path[fill="#c02b34"]');
    assert.equal(await bands.count(), 2, 'one in each of the two charts');
    const box = await bands.first().boundingBox();
    assert.ok(box !== null && box.width > 150 && box.height > 80, JSON.stringify(box));
  });
});

test('the headline stands alone as a picture', async () => {
  await visit(headlineUrl, { width: 900, colorScheme: 'dark' }, async (opened) => {
    assert.deepEqual(opened.complaints, []);
    assert.deepEqual(opened.requests, [headlineUrl]);
    const fill = await opened.page.evaluate<string>(
      `getComputedStyle(document.querySelector('[fill="${challenger.light}"]')).fill`,
    );
    assert.equal(fill, rgb(challenger.dark));
  });
});
