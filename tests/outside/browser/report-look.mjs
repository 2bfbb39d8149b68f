// How reports are looked at: a browser that writes down everything that a page must not do, and words for what one looks for.
import { launch } from './browser.mjs';
import { expect } from '../github/stage.mjs';

export const browser = await launch();

/** A page with everything that it must not do written down. */
export async function opened(url, more = {}) {
  const page = await browser.newPage({ viewport: { width: 1200, height: 900 }, ...more });
  page.wrong = [];
  page.on('pageerror', (error) => page.wrong.push(`error: ${error.message}`));
  page.on('console', (message) => page.wrong.push(`console: ${message.text()}`));
  page.on('dialog', (dialog) => (page.wrong.push(`dialog: ${dialog.message()}`), dialog.dismiss()));
  page.on('request', (request) => request.url().split('#')[0] !== url.split('#')[0] && !request.url().startsWith('data:') && page.wrong.push(`request: ${request.url()}`));
  await page.addInitScript(() => addEventListener('securitypolicyviolation', (event) => console.log(`violation: ${event.violatedDirective} ${event.blockedURI}`)));
  await page.goto(url);
  return page;
}

export const operations = (page) => page.locator('details.operation');
export const subjects = (page) => page.locator('details.operation h3').allTextContents();
/** Opens everything; what is inside of an operation is made when it is opened. */
export async function openAll(page) {
  await page.evaluate(() => document.querySelectorAll('details').forEach((each) => (each.open = true)));
  await page.waitForFunction(() => [...document.querySelectorAll('details.operation')].every((each) => each.childElementCount > 1));
  await page.evaluate(() => document.querySelectorAll('details').forEach((each) => (each.open = true)));
}
/** What the page says to be shown, once it has had the frame in which it follows its fields. */
export async function shown(page) {
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  return page.locator('#shown').textContent();
}
export const card = (page, subject) => operations(page).filter({ has: page.locator('h3', { hasText: subject }) });
export const contains = (text, parts) => parts.forEach((part) => expect(text.includes(part), true, `that \`${part}\` stands in ${text.slice(0, 3000)}`));
