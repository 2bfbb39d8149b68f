// Looks at `countersign report` as people do: content, search, deep links, keyboard, both themes, paper, and how far a ledger holds.
import { writeFileSync } from 'node:fs';
import { axe, check, shot } from './browser.mjs';
import { browser, card, contains, openAll, opened, operations, shown, subjects } from './report-look.mjs';
import { damaged } from './report-pages.mjs';
import { afterStories, report } from './report-stories.mjs';
import { expect } from '../github/stage.mjs';

async function content(url) {
  const page = await opened(url);
  await check('report: the page says what it shows, and that the ledger was verified', async () => {
    expect(await page.title(), 'octo/hello · Countersign report', 'the title');
    contains(await page.locator('#standing').textContent(), ['Ledger verified', 'refs/heads/receipt-ledger at commit', 'newest entry 12 sha256:', 'hold: 7 receipts, each by 1 trusted key(s)', 'every commit']);
    expect(await page.locator('.count').allTextContents(), ['4✓ Shipped', '1✕ Failed', '1… Unfinished', '3⊘ Refused', '1⊘ Refused by mode', '1– Will not ship', '2◇ Planned'], 'the counts');
    expect(await shown(page), '13 of 13 operations shown', 'what is shown');
  });
  await check('report: a release is told from its dry run over who signed it to what GitHub holds', async () => {
    const release = card(page, 'v1.0.0');
    await release.locator('summary').first().click();
    expect(await release.locator('.word').allTextContents(), ['DRY RUN', 'AUTHORIZATION', 'PROD'], 'the steps');
    contains(await release.textContent(), [
      'What would change; the mode blocks it', 'alice@example.org SHA256:', 'Read from the receipt on the ledger; its signatures hold.', 'for run17231001', 'Entry 1 receipt spent',
      'Entry 2 outcome: succeeded', 'app.tar.gz11 bytes', 'Checks: 20 rules, none broken', 'Body, 23 characters', 'https://github.com/octo/hello/releases/tag/v1.0.0',
    ]);
  });
  await check('report: a refusal says why it was not shipped, with both sides and what to do', async () => {
    const refused = card(page, 'nightly-2');
    await refused.locator('summary').first().click();
    contains(await refused.locator('.reason').first().textContent(), ['Why it was not shipped', 'operation_mismatch', 'What to do:']);
    expect(await refused.locator('.checks').getAttribute('open'), '', 'whether the checks are open');
    contains(await refused.locator('.checks').textContent(), ['20 rules, 1 broken', '✕ broken', 'operation_mismatch']);
  });
  await check('report: every refusal is there with its code', async () => {
    await openAll(page);
    const codes = ['mode_violation', 'receipt_missing', 'receipt_malformed', 'signature_untrusted', 'threshold_unmet', 'advisory_receipt', 'run_id_mismatch', 'operation_mismatch', 'receipt_consumed'];
    contains(await page.locator('#results').textContent(), [...codes, 'commit_unknown', 'NO MODE', 'production', 'advisory, it allows nothing']);
  });
  await check('report: a resumed attempt names the claim that it takes over, an unfinished one says what is not known', async () => {
    contains(await card(page, 'v1.2.0').textContent(), ['takes over the claim of entry 9', '2 attempts']);
    contains(await card(page, 'v1.3.0').textContent(), ['What is not known', 'no entry tells what came of the operation']);
  });
  await check('report: nothing was loaded, blocked or complained about', () => expect(page.wrong, [], 'what went wrong'));
  await page.close();
}

async function finding(url) {
  const page = await opened(url);
  const search = async (text) => (await page.fill('#text', text), shown(page));
  await check('report: search finds tags, assets, signers, codes, runs, digests and entries', async () => {
    const digest = /sha256:[0-9a-f]{64}/.exec(await page.locator('#data').textContent())[0];
    for (const [text, wanted] of [['notes.txt', ['v1.0.0']], ['BOB@example', ['docs-1', 'nightly']], ['mode_violation', ['nightly']], ['17231002', ['next → main']], ['entry-2 ', ['v1.0.0']], [digest, null], ['nowhere at all', []]]) {
      await search(text);
      const found = (await subjects(page)).map((subject) => subject.split('  ')[0].replace(/ (publish_release|tag_repo|open_pr)$/, ''));
      if (wanted) expect([...new Set(found)], wanted, `what is found for ${text}`);
      else expect(found.length > 0, true, `whether ${text} is found`);
    }
    expect(await shown(page), '0 of 13 operations shown', 'what is shown');
  });
  await check('report: filters narrow, a count filters by its status, and the address brings one back', async () => {
    await page.click('#clear');
    await page.selectOption('#kind', 'tag_repo');
    await page.click('.count[data-status=rejected_by_auth]');
    expect(await shown(page), '3 of 13 operations shown', 'what is shown');
    expect(await page.locator('.count[data-status=rejected_by_auth]').getAttribute('aria-pressed'), 'true', 'the pressed count');
    const again = await opened(page.url());
    expect([await shown(again), await again.inputValue('#kind')], ['3 of 13 operations shown', 'tag_repo'], 'what the address shows');
    await again.close();
    await page.click('#clear');
    await page.selectOption('#event', 'failed');
    expect(await shown(page), '1 of 13 operations shown', 'the failures');
    await page.click('#clear');
    await page.fill('#to', '2020-01-01');
    expect(await shown(page), '0 of 13 operations shown', 'what happened before 2020');
    await page.fill('#to', '');
    await page.fill('#from', '2020-01-01');
    expect(await shown(page), '13 of 13 operations shown', 'what happened since');
  });
  await check('report: a deep link opens the operation, goes to the entry, and lifts filters that hide it', async () => {
    for (const hash of ['#entry-8', '#kind=open_pr&at=entry-8']) {
      const linked = await opened(url + hash);
      expect(await linked.locator('.target').textContent().then((text) => text.startsWith('Entry 8 outcome: failed')), true, 'the target');
      expect(await linked.evaluate(() => document.activeElement.textContent), 'Entry 8', 'the focus');
      expect(await linked.locator('.target').evaluate((each) => each.getBoundingClientRect().top < innerHeight), true, 'whether it is in sight');
      await linked.close();
    }
    const id = await page.evaluate(() => JSON.parse(document.getElementById('data').textContent).find((item) => item.record?.error_code === 'receipt_missing').record.operation_id);
    const linked = await opened(`${url}#${id}`);
    contains(await linked.locator('.target').textContent(), [id, 'receipt_missing']);
    await linked.locator('.target a.anchor').first().click();
    expect(new URL(linked.url()).hash, `#${id}`, 'the address');
    expect(linked.wrong, [], 'what went wrong');
    await linked.close();
  });
  await check('report: an address that names nothing shows everything', async () => {
    for (const hash of ['#entry-999', '#%', '#status=constructor', '#at=%3Cscript%3E&text=']) {
      const odd = await opened(url + hash);
      expect([await shown(odd), odd.wrong], ['13 of 13 operations shown', []], hash);
      await odd.close();
    }
  });
  await page.close();
}

async function keyboard(url) {
  const page = await opened(url);
  await check('report: everything is reached and used by keyboard', async () => {
    await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement.textContent), 'Skip to the operations', 'the first stop');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement.closest('details')?.className.startsWith('operation')), true, 'whether an operation is the next stop');
    await page.keyboard.press('Enter');
    expect(await operations(page).first().getAttribute('open'), '', 'whether it is open');
    await page.keyboard.press('/');
    expect(await page.evaluate(() => document.activeElement.id), 'text', 'the focus after /');
    await page.keyboard.type('a/b');
    expect(await page.inputValue('#text'), 'a/b', 'what was typed');
    expect([await shown(page), await page.locator('#shown').getAttribute('role')], ['0 of 13 operations shown', 'status'], 'what is told');
  });
  await page.close();
}

/** Contrast and names of everything, closed and open, in both themes and on a phone. */
async function accessible(url) {
  for (const [name, more] of [['light', { colorScheme: 'light' }], ['dark', { colorScheme: 'dark' }], ['phone', { viewport: { width: 390, height: 844 } }]]) {
    const page = await opened(url, more);
    await check(`report: axe finds nothing to object to (${name})`, async () => {
      expect(await axe(page), [], 'what it found');
      await openAll(page);
      expect(await axe(page), [], 'what it found with everything open');
      expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, 'whether the page fits its width');
    });
    await page.close();
  }
  const page = await opened(url, { colorScheme: 'light' });
  await check('report: the other theme is a press away', async () => {
    const paper = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    const light = await paper();
    await page.click('#theme');
    expect([(await paper()) !== light, await page.locator('#theme').textContent()], [true, 'Light theme'], 'the theme');
    expect(await axe(page), [], 'what axe found after the change');
  });
  await page.close();
}

async function paper(url) {
  const page = await opened(url);
  await check('report: paper shows everything open and no controls', async () => {
    const pdf = await page.pdf({ format: 'A4' });
    expect(pdf.subarray(0, 5).toString(), '%PDF-', 'the file');
    await page.emulateMedia({ media: 'print' });
    await page.evaluate(() => dispatchEvent(new Event('beforeprint')));
    expect([await page.locator('#find').isVisible(), await page.locator('#theme').isVisible()], [false, false], 'the controls');
    expect(await page.locator('details:not([open])').count(), 0, 'the closed details');
    await page.evaluate(() => dispatchEvent(new Event('afterprint')));
    expect(await page.locator('details.operation[open]').count(), 0, 'what stays open afterwards');
  });
  await page.close();
}

async function pictures(url) {
  await check('report: pictures were taken', async () => {
    for (const [name, more, subject] of [['light', { colorScheme: 'light' }, null], ['dark', { colorScheme: 'dark' }, 'v1.0.0'], ['refused', { colorScheme: 'light' }, 'nightly-2'], ['phone', { viewport: { width: 390, height: 844 }, colorScheme: 'dark' }, null]]) {
      const page = await opened(url, more);
      if (subject) {
        await card(page, subject).locator('summary').first().click();
        await card(page, subject).evaluate((each) => scrollTo(0, each.getBoundingClientRect().top + scrollY - 60));
      }
      await page.screenshot({ path: shot(`report-${name}`) });
      await page.close();
    }
  });
}

/** Without JavaScript, without keys, with a fault, with files of others. */
async function standings(stage, sim) {
  await check('report: without keys the page says that signatures were not checked', async () => {
    const told = await report(stage, 'unsigned.html', [sim.git_dir]);
    const page = await opened(told.url);
    contains(await page.locator('#standing').textContent(), ['Signatures not checked']);
    await openAll(page);
    contains(await page.locator('#results').textContent(), ['What it says was not read, because its signatures were not checked here.']);
    await page.close();
  });
  await check('report: a ledger that does not hold is told as such, and the command fails', async () => {
    const keys = `${await stage.command(['keys', 'generate', '--no-passphrase', '--out', 'other', '--name', 'other'])}`;
    writeFileSync(`${stage.folder}/other.pub`, keys);
    const told = await report(stage, 'fault.html', ['--repository', sim.repository, '--trusted-keys', 'other.pub']);
    expect(told.exit, 1, 'the exit code');
    const page = await opened(told.url);
    contains(await page.locator('#standing').textContent(), ['Ledger not verified', 'signatures: entry 1', '0 of 12 entries']);
    expect(await axe(page), [], 'what axe found');
    await page.close();
  });
  await check('report: without JavaScript the page says what it holds', async () => {
    const page = await browser.newPage({ javaScriptEnabled: false });
    await page.goto(`file://${stage.folder}/unsigned.html`);
    contains(await page.locator('noscript').innerText(), ['This page needs JavaScript', 'countersign ledger show']);
    await page.close();
  });
  await check('report: a file that was cut off does not look like one with nothing to show', async () => {
    const page = await opened(`file://${damaged(`${stage.folder}/unsigned.html`)}`);
    contains(await page.locator('#standing').textContent(), ['This file is damaged']);
    await page.close();
  });
}

try {
  await afterStories(async (stage, sim) => {
    const told = await report(stage, 'report.html', [sim.git_dir, '--records', '.', '--trusted-keys', 'keys.pub']);
    await check('report: the command says what the page holds', () => expect([told.exit, told.out], [0, `${told.file}: 12 ledger entries, 25 audit records, 9 plans\n`], 'what is printed'));
    for (const look of [content, finding, keyboard, accessible, paper, pictures]) await look(told.url);
    await standings(stage, sim);
  });
} finally {
  await browser.close();
}
