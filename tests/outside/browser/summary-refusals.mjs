// Each refusal that there is, brought about on a stage of its own; every case gives what the attempt left behind.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { unprotect, until } from '../github/stage.mjs';
import { APPROVER, PULL, RELEASE, RUN, TAG, bare, changed, lineOf, moment, newKey, resigned } from './summary-stage.mjs';

/** An attempt with a receipt in which the approver changed something. */
const signedAs = (edit, inputs = TAG) => async (stage) => {
  const { plan, receipt } = await stage.approved(inputs);
  return stage.act({ plan, receipt: resigned(stage, receipt, edit) });
};

/** A step whose answer is no input of the attempt; it must have been taken before the attempt begins. */
const done = async (step) => void (await step);

/** An approved attempt, with something done between approval and publication. */
const meanwhile = (work, inputs = TAG) => async (stage, sim) => {
  const approved = await stage.approved(inputs);
  const more = await work(stage, sim);
  return stage.act({ ...approved, ...more });
};

/** An approved attempt that asks for something else. */
const asking = (inputs, more) => async (stage) => {
  const { receipt } = await stage.approved(inputs);
  return stage.act({ ...inputs, 'target-sha': inputs === PULL ? '' : stage.github.sha, receipt, ...more });
};

const proposed = (work) => async (stage, sim) => {
  await sim.ask('commit', { branch: 'next', path: 'a.txt', text: 'a' });
  return work(stage, sim);
};

const policyText = (sim) =>
  `version = 1\n[[rule]]\nname = "tags"\noperation = "tag_repo"\nrepository = "${sim.repository}"\nrepository_id = ${sim.repository_id}\n` +
  `tag = "v*"\napprovers = ["${APPROVER}"]\nthreshold = 1\nlongest_lifetime = "1h"\nexclude_requester = false\n`;

/** An approved tag, and a policy that was changed since. */
const byPolicy = (edit, more = () => ({}), variables = {}) => async (stage, sim) => {
  const approved = await stage.approved(TAG);
  stage.file('policy.toml', edit(policyText(sim)));
  const digest = createHash('sha256').update(readFileSync(`${stage.workspace}/${approved.plan}`)).digest('hex');
  const inputs = { ...approved, 'plan-digest': `sha256:${digest}`, 'policy-file': 'policy.toml' };
  return stage.act({ ...inputs, ...more(stage) }, variables);
};
const excluding = (text) => text.replace('requester = false', 'requester = true');

/** Writes a trust file with these versions, signed by a keeper, and gives the inputs that use it. */
async function trustFile(stage, versions, { signer = 'keeper', policy } = {}) {
  let root;
  for (const [index, members] of versions.entries()) {
    const key = (name, line, more = '') => `[[key]]\nname = "${name}"\nkey = "${bare(line)}"\n${more}\n`;
    const keys = key(APPROVER, stage.trusted, members) + key('keeper', lineOf(`${stage.folder}/keeper`, 'keeper'));
    writeFileSync(`${stage.folder}/version.toml`, `version = ${index + 1}\nthreshold = 1\n${keys}`);
    const after = index > 0 ? ['--after', 'workspace/trust.json'] : [];
    const fixed = policy ? ['--policy', policy] : [];
    stage.file('trust.json', await stage.command(['trust', 'propose', 'version.toml', '--key', signer, '--yes', ...after, ...fixed]));
    root ??= /root (sha256:\w+)/.exec(await stage.command(['trust', 'show', 'workspace/trust.json']))[1];
  }
  return { 'trusted-keys': '', 'trust-file': 'trust.json', 'trust-root': root };
}

const byTrust = (versions, more = () => ({})) => async (stage, sim) => {
  newKey(`${stage.folder}/keeper`, 'keeper');
  const approved = await stage.approved(TAG);
  return stage.act({ ...approved, ...(await trustFile(stage, versions)), ...(await more(stage, sim)) });
};

/** The ledger remembers what decided before; its files end with a line feed. */
const remember = (sim, authority) =>
  sim.ask('commit', { branch: 'receipt-ledger', path: 'authority.json', text: `${JSON.stringify({ trust: null, policy: null, ...authority })}\n` });
const THREE = { version: 3, digest: `sha256:${'3'.repeat(64)}` };
const DAY = 24 * 3600;
// The key of RFC 8032, section 7.1, test 1.
const PUBLISHED = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea rfc8032';

/** Once the tag is approved, the answer to the preflight makes no sense. */
function unreadable() {
  let approved = null;
  return {
    hooks: { after: (exchange) => approved && /Preflight/.test(exchange.body) && (exchange.answer.body = Buffer.from('{}')) },
    run: async (stage) => {
      approved = await stage.approved(TAG);
      return stage.act(approved);
    },
  };
}

export const REFUSALS = {
  mode_violation: async (stage) => stage.act({ ...(await stage.approved(TAG)), mode: 'PROD' }),
  receipt_missing: async (stage) => stage.act({ ...TAG, 'target-sha': stage.github.sha }),
  receipt_malformed: async (stage) => stage.act({ ...TAG, 'target-sha': stage.github.sha, receipt: '{"payload":' }),
  signature_untrusted: meanwhile((stage) => ({ 'trusted-keys': newKey(`${stage.folder}/bob`, 'bob@example.org') })),
  threshold_unmet: meanwhile((stage) => ({ 'trusted-keys': `${stage.trusted}\n${newKey(`${stage.folder}/bob`, 'bob@example.org')}`, threshold: '2' })),
  key_revoked: byTrust(['revoked_at = "2026-01-01T00:00:00Z"']),
  key_not_valid: byTrust(['not_after = "2026-01-01T00:00:00Z"']),
  key_published: meanwhile(() => ({ 'trusted-keys': PUBLISHED })),
  advisory_receipt: signedAs((terms) => (terms.enforceable = false)),
  run_id_mismatch: async (stage) => stage.act(await stage.approved(TAG), { GITHUB_RUN_ID: '4' }),
  operation_kind_mismatch: signedAs((terms) => (terms.operation_kind = 'open_pr')),
  repository_mismatch: signedAs((terms) => (terms.repository_id = 1)),
  operation_mismatch: asking(TAG, { message: 'Another' }),
  receipt_consumed: async (stage) => {
    const approved = await stage.approved(TAG);
    await stage.act(approved);
    return stage.act(approved);
  },
  receipt_withdrawn: async (stage) => {
    const approved = await stage.approved(TAG);
    stage.file('receipt.json', approved.receipt);
    stage.file('keys', stage.trusted);
    await stage.command(['withdraw', 'workspace/receipt.json', '--trusted-keys', 'workspace/keys', '--key', 'alice', '--reason', 'the wrong build', '--yes']);
    return stage.act(approved);
  },
  receipt_expired: signedAs((terms) => ([terms.issued_at, terms.expires_at] = [moment(terms.issued_at, -60), terms.issued_at])),
  receipt_stale: signedAs((terms) => ([terms.issued_at, terms.expires_at] = [moment(terms.issued_at, -DAY - 60), moment(terms.issued_at, 60)])),
  receipt_not_yet_valid: signedAs((terms) => (terms.issued_at = moment(terms.issued_at, 120))),
  receipt_lifetime: signedAs((terms) => (terms.expires_at = moment(terms.issued_at, DAY + 1))),
  policy_no_rule: byPolicy((text) => text.replace('v*', 'w*')),
  policy_several_rules: byPolicy((text) => `${text}${text.slice(text.indexOf('[[rule]]')).replace('"tags"', '"others"')}`),
  policy_lifetime: byPolicy((text) => text.replace('"1h"', '"59m"')),
  policy_threshold_unmet: byPolicy((text) => text.replace('threshold = 1', 'threshold = 2')),
  policy_not_an_approver: byPolicy((text) => text.replace(APPROVER, 'bob@example.org')),
  policy_requester_approved: byPolicy(excluding, (stage) => ({ 'trusted-keys': `${stage.trusted} github:dana` })),
  policy_login_unknown: byPolicy(excluding),
  requester_unknown: byPolicy(excluding, (stage) => ({ 'run-id': RUN, 'trusted-keys': `${stage.trusted} github:alice` }), { GITHUB_RUN_ID: '99' }),
  policy_invalid: byPolicy((text) => text.replace('threshold', 'treshold')),
  clock_skew: meanwhile((_, sim) => done(sim.ask('shift_clock', { seconds: 600 }))),
  ledger_missing: meanwhile((_, sim) => done(sim.ask('delete_ref', { name: 'refs/heads/receipt-ledger' }))),
  ledger_unavailable: unreadable(),
  ledger_rolled_back: signedAs((terms) => (terms.ledger = { commit: '4'.repeat(40), sequence: 41, digest: `sha256:${'4'.repeat(64)}` })),
  ledger_tampered: meanwhile((_, sim) => done(sim.ask('commit', { branch: 'receipt-ledger', path: 'ledger.json', text: '{' }))),
  ledger_tail_too_long: meanwhile(async (_, sim) => {
    for (let at = 0; at <= 1000; at += 1) await sim.ask('commit', { branch: 'receipt-ledger', path: 'stray.txt', text: String(at) });
  }),
  ledger_newer_version: async (stage, sim) => {
    const { plan, receipt } = await stage.approved(TAG);
    const { run_id: run, operations } = JSON.parse(readFileSync(`${stage.workspace}/${plan}`, 'utf8'));
    const common = { v: 2, sequence: 1, previous: null, event_type: 'new', run, acting_run: null, attempt: null };
    const entry = `${JSON.stringify({ ...common, operation_digest: operations[0].digest, receipts: [] })}\n`;
    const digest = `sha256:${createHash('sha256').update(entry).digest('hex')}`;
    await sim.ask('commit', { branch: 'receipt-ledger', path: 'entries/000/000000001.json', text: entry });
    await sim.ask('commit', { branch: 'receipt-ledger', path: 'ledger.json', text: `${JSON.stringify({ sequence: 1, digest })}\n` });
    return stage.act({ plan, receipt });
  },
  ledger_unguarded: meanwhile(async (_, sim) => {
    await unprotect(sim);
    const name = 'refs/heads/receipt-ledger';
    const sha = await sim.ask('ref', { name });
    await sim.ask('commit', { branch: 'receipt-ledger', path: 'junk.txt', text: 'junk' });
    await sim.ask('set_ref', { name, sha });
  }),
  commit_unreachable: async (stage, sim) => {
    const sha = await sim.ask('commit', { branch: 'next', path: 'next.txt', text: 'next' });
    return stage.act(await stage.approved({ ...TAG, 'target-sha': sha }));
  },
  operation_done: async (stage, sim) => {
    const { plan, receipt } = await stage.approved(TAG);
    const another = resigned(stage, receipt, (terms) => (terms.receipt_id = 'receipt-of-bob'));
    await stage.act({ plan, receipt });
    await sim.ask('delete_ref', { name: 'refs/tags/v1.0.0' });
    return stage.act({ plan, receipt: another });
  },
  token_invalid: meanwhile(() => ({ token: 'ghs_nobody' })),
  permission_missing: proposed(async (stage, sim) => {
    const token = await sim.ask('token', { contents: 'read', actions: 'read', 'pull-requests': 'none' });
    return stage.act({ ...PULL, mode: 'dry_run', token });
  }),
  access_denied: meanwhile((_, sim) => done(sim.ask('graphql_error', {
    kind: 'FORBIDDEN', message: 'Resource protected by organization SAML enforcement. You must grant your OAuth token access to this organization.',
  }))),
  repository_unseen: meanwhile((_, sim) => done(sim.ask('rename', { to: 'octo/renamed' }))),
  server_too_old: meanwhile((_, sim) => done(sim.ask('undefined_field', { type: 'Ref', field: 'rules' }))),
  trust_rolled_back: byTrust(['', ''], async (_, sim) => void (await remember(sim, { trust: THREE }))),
  trust_stale: async (stage) => {
    newKey(`${stage.folder}/keeper`, 'keeper');
    const approved = await stage.approved(TAG);
    // Three commands must run before the key ends, also on a busy machine.
    const ends = moment(new Date().toISOString(), 10);
    const trust = await trustFile(stage, [`not_after = "${ends}"`, ''], { signer: 'alice' });
    await until('the key to end', () => Date.now() > Date.parse(ends));
    return stage.act({ ...approved, ...trust });
  },
  policy_rolled_back: async (stage, sim) => {
    const approved = await stage.approved(TAG);
    await remember(sim, { policy: THREE });
    stage.file('policy.toml', policyText(sim));
    return stage.act({ ...approved, 'policy-file': 'policy.toml' });
  },
  policy_mismatch: async (stage, sim) => {
    newKey(`${stage.folder}/keeper`, 'keeper');
    const approved = await stage.approved(TAG);
    stage.file('policy.toml', policyText(sim));
    return stage.act({ ...approved, ...(await trustFile(stage, [''], { policy: 'workspace/policy.toml' })) });
  },

  preflight_archived: meanwhile((_, sim) => done(sim.ask('archive'))),
  preflight_commit_missing: {
    hooks: {
      after: (exchange) => /Preflight/.test(exchange.body) && changed(exchange, (body) => JSON.parse(JSON.stringify(body, (name, value) => (name === 'commit' ? null : value)))),
    },
    run: async (stage) => stage.act(await stage.approved(TAG)),
  },
  preflight_tag_moved: meanwhile(async (_, sim) => {
    await sim.ask('tag', { name: 'v1.0.0', sha: await sim.ask('commit', { branch: 'other', path: 'a', text: 'a' }) });
  }, RELEASE),
  preflight_tag_exists: meanwhile((stage, sim) => done(sim.ask('tag', { name: 'v1.0.0', sha: stage.github.sha }))),
  preflight_release_exists: async (stage) => {
    await stage.ship(RELEASE);
    return stage.ship({ ...RELEASE, body: 'Second.' });
  },
  preflight_branch_missing: proposed(meanwhile((_, sim) => done(sim.ask('delete_ref', { name: 'refs/heads/next' })), PULL)),
  preflight_branch_moved: proposed(meanwhile((_, sim) => done(sim.ask('commit', { branch: 'next', path: 'b.txt', text: 'b' })), PULL)),
  preflight_nothing_to_merge: proposed(meanwhile(async (_, sim) => {
    await sim.ask('set_ref', { name: 'refs/heads/main', sha: await sim.ask('ref', { name: 'refs/heads/next' }) });
  }, PULL)),
  preflight_pull_exists: proposed(async (stage) => {
    const again = await stage.approved({ ...PULL, title: 'Again' });
    await stage.ship(PULL);
    return stage.act(again);
  }),
  preflight_workflows_differ: async (stage, sim) => {
    const sha = await sim.ask('commit', { branch: 'sly', path: '.github/workflows/release.yml', text: 'on: push\n' });
    return stage.ship({ ...TAG, 'target-sha': sha });
  },
  preflight_rate_limit: meanwhile((_, sim) => done(sim.ask('rate_limit', { limit: 1000, remaining: 40 }))),

  input_unreadable: async (stage) => stage.act({ ...TAG }, { COUNTERSIGN_INPUTS: '{"mode":' }),
  input_unknown: async (stage) => stage.act({ ...TAG, tag_name: 'v1' }),
  input_missing: proposed(async (stage, sim) => stage.act({ ...PULL, title: '', 'head-sha': await sim.ask('ref', { name: 'refs/heads/next' }) })),
  input_unused: asking(TAG, { files: '*' }),
  input_invalid: asking(TAG, { 'tag-name': 'v 1' }),
  operation_unknown: asking(TAG, { operation: 'delete_repo' }),
  commit_required: asking(TAG, { 'target-sha': 'main' }),
  ref_ambiguous: proposed(async (stage, sim) => {
    await sim.ask('tag', { name: 'next', sha: stage.github.sha });
    return stage.act({ ...TAG, mode: 'dry_run', 'target-sha': 'next' });
  }),
  commit_unknown: async (stage) => stage.act({ ...TAG, mode: 'dry_run', 'target-sha': 'nowhere' }),
  file_missing: asking(RELEASE, { files: 'missing.zip' }),
  file_unusable: async (stage) => {
    symlinkSync('/etc/hostname', `${stage.workspace}/link.zip`);
    return asking(RELEASE, { files: 'link.zip' })(stage);
  },
  pattern_unmatched: asking(RELEASE, { files: '*.zip' }),
  asset_name: async (stage) => (stage.file('my app.zip', 'abc'), asking(RELEASE, { files: '*.zip' })(stage)),
  asset_twice: async (stage) => {
    for (const folder of ['a', 'b']) {
      mkdirSync(`${stage.workspace}/${folder}`);
      stage.file(`${folder}/app.zip`, folder);
    }
    return asking(RELEASE, { files: '*/app.zip' })(stage);
  },
  asset_limit: async (stage) => (stage.file('empty.zip', ''), asking(RELEASE, { files: '*.zip' })(stage)),
  asset_reserved: async (stage) => (stage.file('countersign-receipt.json', '{}'), asking(RELEASE, { files: 'countersign-receipt.json' })(stage)),
  body_too_long: asking(RELEASE, { body: 'x'.repeat(125_001) }),
  not_latest: asking(RELEASE, { prerelease: 'true', 'make-latest': 'true' }),
  trusted_keys_invalid: asking(TAG, { 'trusted-keys': 'ssh-rsa AAAA bob' }),
  threshold_invalid: asking(TAG, { threshold: '0' }),
  trust_invalid: byTrust([''], () => ({ 'trust-root': `sha256:${'0'.repeat(64)}` })),
  plan_invalid: async (stage) => {
    const { plan, receipt } = await stage.approved(TAG);
    stage.file(plan, readFileSync(`${stage.workspace}/${plan}`, 'utf8').replace('dry_run', 'prod'));
    return stage.act({ plan, receipt });
  },
  campaign_invalid: async (stage) => (stage.file('campaign.toml', 'name = 1\n'), stage.act({ mode: 'dry_run', campaign: 'campaign.toml' })),
  nothing_ships: async (stage) => {
    stage.file('campaign.toml', 'name = "x"\n[[operation]]\nid = "a"\noperation = "tag_repo"\ntag-name = "v1"\ntarget-sha = "gone"\n');
    return stage.act({ mode: 'dry_run', campaign: 'campaign.toml' });
  },
  token_missing: async (stage) => stage.act({ ...TAG, token: ' ' }),
  context_missing: async (stage) => stage.act({ ...(await stage.approved(TAG)) }, { GITHUB_RUN_ID: '' }),
};
