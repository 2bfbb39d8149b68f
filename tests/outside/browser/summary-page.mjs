// A summary in the browser: opened as GitHub shows it, and read as a person reads it.
import { shot } from './browser.mjs';
import { page as whole } from './summary-github.mjs';

/** GitHub's column beside the list of jobs, and a telephone. */
const SIZES = { light: [920, 'light'], dark: [920, 'dark'], phone: [390, 'light'] };

export async function open(browser, html, [width, colorScheme] = SIZES.light) {
  const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
  // Nothing is asked for: a summary that loads something was led astray.
  await page.route('**', (route) => route.abort());
  await show(page, html);
  return page;
}

/** Puts another summary on the page. */
export const show = (page, html) => page.setContent(whole(html));

/** Pictures of a summary; `folded` parts stay closed, as GitHub shows them. */
export async function photograph(browser, html, name) {
  for (const [size, how] of Object.entries(SIZES)) {
    const page = await open(browser, html, how);
    await page.screenshot({ path: shot(`${name}-${size}`), fullPage: true });
    await page.close();
  }
}

/** What is on the page. */
export const read = (page) =>
  page.evaluate(() => {
    const all = (selector, from = document.querySelector('main')) => [...from.querySelectorAll(selector)];
    const text = (element) => element?.textContent.replace(/\s+/g, ' ').trim();
    const under = (title) => {
      const found = [];
      const heading = all('h3').find((one) => text(one).startsWith(title));
      for (let next = heading?.nextElementSibling; next && !/^H[23]$/.test(next.tagName); next = next.nextElementSibling) found.push(next);
      return found;
    };
    const tables = (elements) => elements.flatMap((one) => [...(one.matches('table') ? [one] : []), ...all('table', one)]);
    const headed = (column) => all('table').filter((table) => text(table.rows[0].cells[0]) === column);
    const rows = (table) => all('tr', table).map((row) => [...row.children].map(text));
    const prose = document.querySelector('main').cloneNode(true);
    all('pre', prose).forEach((one) => one.remove());
    return {
      heading: text(document.querySelector('h2')),
      alerts: all('.markdown-alert').map((one) => ({ kind: one.className.split('-').at(-1), text: text(one) })),
      titles: all('h3').map(text),
      checks: [...headed('Broken rule'), ...headed('Verdict')].flatMap((table) => rows(table).slice(1)),
      operation: Object.fromEntries(headed('Parameter').flatMap((table) => rows(table).slice(1))),
      receipt: Object.fromEntries(tables(under('Receipt')).flatMap((table) => rows(table).slice(1))),
      timeline: under('Timeline').flatMap((list) => all('li', list).map(text)),
      assets: headed('Asset').map((table) => rows(table).slice(1)),
      links: all('a').map((one) => ({ text: text(one), href: one.getAttribute('href') })),
      command: all('pre[lang=sh]').map(text),
      tables: all('table').map((table) => rows(table).map((row) => row.length)),
      hidden: all('h2, .markdown-alert, main > h3').filter((one) => !one.checkVisibility()).map(text),
      wide: [document.documentElement, ...all('table, pre')].filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => text(one).slice(0, 80)),
      prose: prose.textContent,
    };
  });

/** Every element with its classes and where it leads, but for those in which text is wrapped: what data must not be able to change. */
export const skeleton = (page) =>
  page.evaluate(() => {
    // The language of a fence stands on its `pre` or on its `code`, as the parser likes.
    const bare = (element) => ['SPAN', 'CODE'].includes(element.tagName) && (element.attributes.length === 0 || element.className === 'language-sh');
    const leads = (element) => (element.getAttribute('href') ?? '').replace(/^(https:\/\/github\.com\/octo\/hello\/[a-z]+).*$/, '$1');
    return [...document.querySelectorAll('main *')].filter((one) => !bare(one)).map((one) => `${one.tagName} ${one.getAttribute('class') ?? ''} ${leads(one)}`.trim());
  });
