import type { Page } from 'playwright-core';
import { until } from '../support/until.js';

/** What a page says on its console but for talk, and its scripts that broke. */
export function messagesOf(page: Page): string[] {
  const all: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) all.push(message.text());
  });
  page.on('pageerror', (error) => void all.push(error.message));
  return all;
}

/** Waits until an element has a text. */
export async function shows(page: Page, selector: string, wanted: string): Promise<void> {
  let text: string | null | undefined;
  const element = page.locator(selector);
  await until(async () => {
    text = (await element.count()) === 1 ? await element.textContent() : undefined;
    return text === wanted;
  }).catch(() => {
    throw new Error(`${selector} has the text ${text}, not ${wanted}`);
  });
}

/**
 * Uses the page of test/browser/frameworks as a visitor would. The number is shown in the end, also in what the framework
 * writes anew, and what the framework does works as without a tag: else it throws.
 */
export async function exercise(page: Page): Promise<void> {
  const click = (id: string) => page.locator(`#${id}`).click();
  const is = (id: string, wanted: string) => shows(page, `#${id}`, wanted);
  await is('pieces', 'Call (202) 555-0100 today, as 0 did');
  await is('text', '(202) 555-0100 was called 0 times');
  await is('tel', '202-555-0100');
  await page.locator('#tel[href="tel:+12025550100"][title="202-555-0100, 0"]').waitFor();
  await is('home', 'Home: 202.555.0100');
  await click('more');
  await click('more');
  await is('more', 'more 2');
  await is('pieces', 'Call (202) 555-0100 today, as 2 did');
  await is('text', '(202) 555-0100 was called 2 times');
  await page.locator('#tel[href="tel:+12025550100"][title="202-555-0100, 2"]').waitFor();
  await shows(page, 'ul', 'one: (202) 555-0100two: (202) 555-0100three: (202) 555-0100');
  await click('shrink');
  await shows(page, 'ul', 'two: (202) 555-0100three: (202) 555-0100');
  for (const saying of ['Ring (202) 555-0100', 'Write to us', 'Call (202) 555-0100']) {
    await click('say');
    await is('saying', saying);
  }
  await click('go');
  await is('away', 'Away: 202.555.0100');
  await click('go');
  await is('home', 'Home: 202.555.0100');
}
