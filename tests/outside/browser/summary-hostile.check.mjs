// Hostile text in every field that a summary shows: rendered as GitHub does, it stays the same text, and whatever it says, the page is made of
// the same elements. `ONLY=FIELD,FIELD` looks at these alone.
import { check, launch } from './browser.mjs';
import { GitHub } from './summary-github.mjs';
import { open, show, skeleton } from './summary-page.mjs';
import { CAMPAIGN, PULL, RELEASE, TAG, expect, is, json, newKey, on, resigned } from './summary-stage.mjs';

const SHA = '0123456789abcdef0123456789abcdef01234567';
/** What could become more than text, each from the beginning of a line on. */
const TEXTS = [
  '@octocat (@octo/team) a@b.example mailto:a@b.c xmpp:a@b.c',
  `#1 octo/hello#1 GH-1 gh-22 abcdef0 octo/hello@abcdef0 ${SHA}`,
  ':tada: a:+1:b :100::x: $x^2$ $$y$$ 11:22:33',
  'www.example.com WWW.e.com https://example.com HTTP://E.COM ftp://e.com',
  '[a](https://e.example) ![i](https://e.example/i.png) [^1] <https://e.example>',
  '**b** _i_ *i* ~~s~~ ~s~ `c` ``d`` $`e`$ `',
  '<img src=x onerror=a> <script>a</script> <b>b</b> <a href="javascript:a">x</a>',
  '</code></pre></td></table></details> <!-- <details open><summary>s</summary> <?',
  '| a | b | \\| || &lt;b&gt; &#64;octocat &amp; \\<b> \\@octocat',
  '> [!NOTE] - [ ] task ```mermaid',
];
/** The same where there is room, all in a few lines. */
const LONG = [TEXTS.slice(0, 3), TEXTS.slice(3, 6), TEXTS.slice(6, 8), TEXTS.slice(8)].map((texts) => texts.join(' '));
/** What is markup at the beginning of a line alone. */
const STARTS = ['- [ ] task', '1. one', '# head', '```mermaid', '~~~', '---', '===', '[x]: https://e.example', '<!-- x', '    code'];
/** The same as far as a name of a branch or tag may have it. */
const REFS = ['v1/@octocat/#1/$x$', `v1/<img>/|/&lt;/a_b_c/${SHA}`, 'v1/www.example.com/GH-1/(x)/!y', 'v1/`c`/_i_/"q"/b@c.example'];
/** The same as far as an id of a receipt, a file or a step may have it. */
const IDS = ['www.example.com', 'GH-1', SHA, 'a_b_c', 'x.-y'];
const BODIES = [
  ...LONG,
  ...STARTS.slice(0, 4),
  'x\n\n> [!CAUTION]\n> y\n\n```mermaid\ngraph TD\n```\n\n# head\n\n| a |\n|---|\n\n    code\n</pre>\n\n- [ ] task\n\n[^1]: note\n<details>\n',
];

/** What an attempt that must fail or be refused leaves. */
const tagged = (stage, more) => stage.act({ ...TAG, 'target-sha': stage.github.sha, ...more });
const parameter = (name) => ({ parameter: name });
/** Texts are cut where they are taken over; as much as is told must be told exactly. */
const upTo = (most) => (text) => text.slice(0, most);
const visible = (text) => text.replaceAll('\t', '\\u{9}').replaceAll('\n', '\\u{a}');
let count = 0;
const fresh = () => `v1.0.${(count += 1)}`;

/** Each field: texts, how it is filled in, and where it is seen (a parameter of the operation, or anywhere). */
const FIELDS = {
  'the name of a release': { texts: LONG, seen: parameter('release_name'), fill: (text, stage) => stage.act({ ...RELEASE, 'release-name': text, mode: 'dry_run' }) },
  'the body of a release': { texts: BODIES, seen: { body: true }, fill: (text, stage) => stage.act({ ...RELEASE, body: text, mode: 'dry_run' }) },
  'the name of a tag': { texts: REFS, seen: parameter('tag_name'), fill: (text, stage) => stage.act({ ...TAG, 'tag-name': text, mode: 'dry_run' }) },
  'the name of a tag that shipped': { texts: REFS, seen: parameter('tag_name'), fill: (text, stage) => stage.ship({ ...TAG, 'tag-name': text }) },
  'the message of a tag': { texts: LONG, seen: parameter('message'), fill: (text, stage) => stage.act({ ...TAG, message: text, mode: 'dry_run' }) },
  'the name of an asset': {
    texts: IDS,
    fill: (text, stage) => {
      stage.file(`${text}/${text}.zip`, 'abc');
      return stage.ship({ ...RELEASE, 'tag-name': fresh(), files: `${text}/*.zip` });
    },
  },
  'the title of a pull request': { texts: LONG, seen: parameter('title'), fill: (text, stage) => stage.act({ ...PULL, title: text, mode: 'dry_run' }) },
  'a label': {
    texts: TEXTS.map((text) => text.replaceAll(',', '').slice(0, 50).trim()),
    seen: { parameter: 'labels', value: (text) => JSON.stringify([text]) },
    fill: (text, stage) => stage.act({ ...PULL, labels: text, mode: 'dry_run' }),
  },
  'a branch': {
    texts: REFS,
    seen: parameter('head_branch'),
    fill: async (text, stage, sim) => {
      await sim.ask('commit', { branch: text, path: 'a.txt', text: 'a' });
      return stage.act({ ...PULL, 'head-branch': text, mode: 'dry_run' });
    },
  },
  'the name of a key': {
    // As much as a name may have.
    texts: TEXTS.map((text) => text.slice(0, 60).trim()),
    told: upTo(60),
    fill: (text, stage) => {
      stage.trusted = newKey(`${stage.folder}/alice`, text);
      return stage.ship({ ...TAG, 'tag-name': fresh() });
    },
  },
  "GitHub's message": { texts: [...LONG, ...STARTS].map((text) => text.trim()), fill: (text, stage, sim, told) => ((told.message = text), stage.ship({ ...TAG, 'tag-name': fresh() })) },
  'a reviewer': {
    texts: TEXTS,
    told: upTo(60),
    fill: async (text, stage, sim) => {
      const { plan, receipt } = await stage.approved({ ...TAG, 'tag-name': fresh() });
      const run = String(1000 + count);
      const own = resigned(stage, receipt, (terms) => (terms.run_id = run));
      await sim.ask('run', { id: Number(run), actor: 'dana' });
      await sim.ask('review', { run: Number(run), reviewer: text, environment: 'release', state: 'approved', comment: 'Fine.' });
      await sim.ask('review', { run: Number(run), reviewer: 'bob', environment: 'release', state: 'approved', comment: own });
      return stage.act({ plan, 'receipt-from': 'approvals' }, { GITHUB_RUN_ID: run });
    },
  },
  'the id of a receipt': {
    texts: IDS,
    fill: async (text, stage) => {
      const { plan, receipt } = await stage.approved({ ...TAG, 'tag-name': fresh() });
      return stage.act({ plan, receipt: resigned(stage, receipt, (terms) => (terms.receipt_id = text)) });
    },
  },
  'the mode': { texts: TEXTS, told: upTo(40), fill: (text, stage) => tagged(stage, { mode: text }) },
  'the operation': { texts: TEXTS, told: upTo(40), fill: (text, stage) => tagged(stage, { operation: text }) },
  'an unknown input': { texts: TEXTS, told: (text) => upTo(50)(text.toLowerCase()), fill: (text, stage) => tagged(stage, { [text]: 'x' }) },
  'the target': { texts: TEXTS, told: upTo(60), fill: (text, stage) => tagged(stage, { 'target-sha': text }) },
  'the repository': { texts: TEXTS, told: upTo(75), fill: (text, stage) => tagged(stage, { repository: text }) },
  'the threshold': { texts: LONG, told: null, fill: (text, stage) => tagged(stage, { threshold: text }) },
  'a pattern': { texts: LONG, told: null, fill: (text, stage) => stage.act({ ...RELEASE, 'target-sha': stage.github.sha, files: text }) },
  'the attempt of the run': { texts: LONG, fill: (text, stage) => stage.act({ ...TAG, mode: 'x' }, { GITHUB_RUN_ATTEMPT: text }) },
  'the id of the run': { texts: LONG, fill: (text, stage) => stage.act({ ...TAG, mode: 'x' }, { GITHUB_RUN_ID: text }) },
  'the workflow, the actor and the ref': {
    texts: LONG,
    told: null,
    fill: (text, stage) => stage.act({ ...TAG, mode: 'x' }, { GITHUB_WORKFLOW_REF: text, GITHUB_ACTOR: text, GITHUB_TRIGGERING_ACTOR: text, GITHUB_REF: text, GITHUB_SHA: text }),
  },
  'the repository of the run': { texts: LONG, fill: (text, stage) => stage.act({ ...TAG, mode: 'x' }, { GITHUB_REPOSITORY: text }) },
  'the server': { texts: LONG, fill: (text, stage) => stage.act({ ...TAG, mode: 'x' }, { GITHUB_SERVER_URL: text }) },
  'the name of a campaign': {
    texts: LONG,
    fill: (text, stage) => {
      stage.file('campaign.toml', CAMPAIGN.replace('"Version 1"', () => JSON.stringify(text)));
      return stage.act({ mode: 'dry_run', campaign: 'campaign.toml' });
    },
  },
  'a reason for not shipping': {
    texts: LONG,
    told: null,
    fill: (text, stage) => {
      stage.file('campaign.toml', `${CAMPAIGN}[[operation]]\nid = "late"\noperation = "tag_repo"\ntag-name = ${JSON.stringify(text)}\n`);
      return stage.act({ mode: 'dry_run', campaign: 'campaign.toml' });
    },
  },
};
/** In messages backticks stand around names, and become the type of code: they are not told apart here. */
const plain = (text) => visible(text).replaceAll('`', '');

const browser = await launch();
const github = new GitHub();

/** The field of a page, exactly. */
const fieldOf = (page, seen) =>
  page.evaluate(({ parameter, body }) => {
    if (body) return [...document.querySelectorAll('details')].find((one) => one.querySelector('summary').textContent === 'Body').querySelector('pre').textContent;
    const row = [...document.querySelectorAll('tr')].find((one) => one.cells[0].textContent === parameter);
    return row?.cells[1].textContent;
  }, { parameter: seen.parameter, body: seen.body });

async function look(page, html, text, { seen, told = (one) => one }) {
  await show(page, html);
  const attributes = await page.evaluate(() => [...document.querySelectorAll('main span, main code')].flatMap((one) => [...one.attributes].map((attribute) => attribute.value)));
  expect(attributes.filter((value) => value !== 'language-sh'), [], 'the attributes of what text is wrapped in');
  if (seen) {
    expect(await fieldOf(page, seen), seen.body ? text : (seen.value ?? JSON.stringify)(text), 'the field');
  } else if (told) {
    const whole = plain(await page.evaluate(() => document.querySelector('main').textContent));
    if (!whole.includes(plain(told(text)))) throw new Error(`${JSON.stringify(text)} is not told: ${whole.slice(0, 900)}`);
  }
  return skeleton(page);
}

/** What a page is made of. Texts that are refused for their form give another page than others: `shapes` says how many there are. */
async function field({ texts, fill, shapes = 1, ...how }, stage, sim, told) {
  const page = await open(browser, '');
  const found = new Map();
  for (const text of texts) {
    const { summary } = await fill(text, stage, sim, told);
    const [own, other] = [await look(page, await github.render(summary), text, how), await look(page, await github.renderByRemark(summary), text, how)];
    expect(other, own, 'what the other parser makes of it');
    found.set(JSON.stringify(own), text);
  }
  await page.close();
  if (found.size > shapes) throw new Error(`the page changes with the text: ${JSON.stringify([...found])}`);
}

const fields = Object.entries(FIELDS).filter(([name]) => !process.env.ONLY || process.env.ONLY.split(',').includes(name));
const next = async () => {
  for (let one = fields.shift(); one; one = fields.shift()) {
    await check(`hostile text stays text: ${one[0]}`, async () => {
      const told = {};
      const hooks = { before: (exchange) => (told.message && is('POST', /git\/refs$/)(exchange) ? json(422, { message: told.message }) : undefined) };
      await on(async (stage, sim) => {
        await sim.ask('commit', { branch: 'next', path: 'a.txt', text: 'a' });
        await field(one[1], stage, sim, told);
      }, hooks);
    });
  }
};
await Promise.all([next(), next(), next(), next()]);

// A judge that does not find what is wrong with bare text does not look.
await check('text that is not escaped becomes more than text', async () => {
  const page = await open(browser, await github.render(['> [!CAUTION]\n> x', '---', ...TEXTS, ...STARTS.slice(2)].join('\n\n')));
  const found = (await skeleton(page)).join('\n');
  const missing = ['user-mention', 'issue-link', 'commit-link', 'emoji', 'math', 'mailto:', 'xmpp:', 'http://www.example.com', 'https://e.example', 'IMG', 'STRONG', 'EM', 'DEL', 'H1', 'HR', 'PRE', 'markdown-alert-caution'];
  expect(missing.filter((one) => !found.includes(one)), [], `what was not found in ${found}`);
  await page.close();
});
github.stop();
await browser.close();
