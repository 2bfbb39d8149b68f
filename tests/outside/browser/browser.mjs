// Opens Debian's Chromium with nothing but the page itself: whatever asks the network is told to the check.
import { createRequire } from 'node:module';
import { mkdirSync } from 'node:fs';

/** Modules come from where `run` has installed them. */
export const require = createRequire(`${process.env.OUTSIDE}/browser/`);
const { chromium } = require('playwright-core');

/** Starts the browser. No sandbox: CI runs as root, and the pages are our own. */
export const launch = () =>
  chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });

/** One line a check; an exception is a failure of this check alone. */
export async function check(name, body) {
  try {
    await body();
    console.log(`ok ${name}`);
  } catch (error) {
    console.log(`FAIL ${name}: ${String(error?.message ?? error).replaceAll('\n', ' ')}`);
  }
}

/** Where a screenshot is kept: in the folder `SHOTS`, else in the stage, which goes away. */
export function shot(name) {
  const folder = process.env.SHOTS ?? `${process.env.STAGE}/shots`;
  mkdirSync(folder, { recursive: true });
  return `${folder}/${name}.png`;
}

/** What axe-core finds wrong for people who use the keyboard or a screen reader. */
export async function axe(page) {
  await page.evaluate(require('node:fs').readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8'));
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  return violations.map((found) => `${found.id}: ${found.nodes.map((node) => node.target.join(' ')).join(', ')}`);
}
