/** What the tag changes in pages as sites write them, and what it leaves alone; and that all of it goes back. */
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import t, { type Test } from 'tap';
import { openBrowser } from './browser.js';
import { complaints, endLinks, open, openSite, snippetOf } from './site.js';
import { families, type Family } from './swap-fixtures.js';

const browser = await openBrowser();
const site = await openSite();
t.teardown(async () => {
  await browser.close();
  site.close();
});

/** For eyes: where TAGSWITCH_TEST_PICTURES names a folder, the page as it stands goes there. */
async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env['TAGSWITCH_TEST_PICTURES'];
  if (folder !== undefined)
    await page.screenshot({ path: join(folder, `${name.replaceAll(' ', '-')}.png`), fullPage: true });
}

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('"', '&quot;');

/** The HTML of all fixtures, as the page has it now. */
const sections = (page: Page) =>
  page.evaluate<string[]>(`[...document.querySelectorAll('section')].map(({ innerHTML }) => innerHTML)`);

/** HTML as a browser would write it. */
const parsed = (page: Page, all: readonly string[]) =>
  page.evaluate<string[]>(`${JSON.stringify(all)}.map((html) => {
    const template = document.createElement('template');
    template.innerHTML = html;
    return template.innerHTML;
  })`);

async function check(t: Test, { name, printed, number, rules, fixtures }: Family): Promise<void> {
  const { w, base } = await open({}, site.origin, [number]);
  t.teardown(() => w.http.close());
  const given = await snippetOf(base, { number: printed });
  const snippet = rules
    ? given.replace('></script>', ` data-rules="${escaped(JSON.stringify(rules))}"></script>`)
    : given;
  const body = fixtures.map(({ html }) => `<section>${html}</section>`).join('\n');
  site.serve(
    `<!doctype html><title>x</title><link rel="icon" href="data:,">${snippet}<body>${body}</body>`,
    `default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src ${base}; connect-src ${base}`,
  );
  const page = await browser.context.newPage();
  t.teardown(() => page.close());
  const wrong = complaints(page);
  await page.goto(site.origin);
  const shown = await page.evaluate<object>('tagswitch.number()');
  t.match(shown, { state: 'held', number, printed });
  await picture(page, `${name} after`);
  const swapped = await sections(page);
  const wanted = await parsed(
    page,
    fixtures.map(({ html, shows = html }) => shows),
  );
  fixtures.forEach((one, at) => t.equal(swapped[at], wanted[at], one.name));

  const lost = page.evaluate(`new Promise((resolve) =>
    document.addEventListener('tagswitch', ({ detail }) => detail.state === 'printed' && resolve(null)))`);
  endLinks(w);
  await lost;
  await picture(page, `${name} before`);
  const back = await sections(page);
  const before = await parsed(
    page,
    fixtures.map(({ html }) => html),
  );
  fixtures.forEach((one, at) => t.equal(back[at], before[at], `${one.name}: back as it was`));
  t.strictSame(wrong, []);
}

for (const family of families) t.test(family.name, (t) => check(t, family));
