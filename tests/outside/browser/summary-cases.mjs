// The attempts that are no refusals: each kind of operation, dry runs, campaigns, failures, what nobody knows, and a second attempt.
import { CAMPAIGN, PULL, RELEASE, TAG, changed, holding, is, json, once, resumed } from './summary-stage.mjs';

const ASSETS = { 'countersign-linux.tar.gz': 'abc', 'countersign-macos.tar.gz': 'abcd', 'SHA256SUMS.txt': 'abcde' };
const NOTES = '## What is new\n\n- Assets are compared with what was approved.\n- `ledger verify` reads a clone.\n';
export const FULL_RELEASE = { ...RELEASE, 'release-name': 'Version 1.0.0', body: NOTES, files: '*.tar.gz\n*.txt' };

const withAssets = (work) => async (stage, sim) => {
  for (const [name, text] of Object.entries(ASSETS)) stage.file(name, text);
  return work(stage, sim);
};
const withBranch = (work) => async (stage, sim) => {
  await sim.ask('commit', { branch: 'next', path: 'a.txt', text: 'a' });
  return work(stage, sim);
};

async function approvedCampaign(stage, text = CAMPAIGN) {
  stage.file('campaign.toml', text);
  const plan = await stage.plan({ campaign: 'campaign.toml' });
  return { plan, receipt: (await stage.command(['authorize', `workspace/${plan}`, '--key', 'alice', '--yes'])).trim() };
}

const rejecting = (status, body, pattern) => ({ before: once(is('POST', pattern), () => json(status, body)) });

export const CASES = {
  'success-release': withAssets((stage) => stage.ship(FULL_RELEASE)),
  'success-tag': (stage) => stage.ship(TAG),
  'success-pull': withBranch((stage) => stage.ship({ ...PULL, labels: 'release, new one', reviewers: 'octocat, hubot', draft: 'true' })),
  'dry-run': withAssets((stage) => stage.act({ ...FULL_RELEASE, mode: 'dry_run' })),
  'dry-run-campaign': withBranch((stage) => {
    stage.file('campaign.toml', `${CAMPAIGN}[[operation]]\nid = "late"\noperation = "tag_repo"\ntag-name = "v2"\ntarget-sha = "nowhere"\n`);
    return stage.act({ mode: 'dry_run', campaign: 'campaign.toml' });
  }),
  'campaign-shipped': withBranch(async (stage) => stage.act(await approvedCampaign(stage))),
  'campaign-stopped': {
    hooks: rejecting(422, { message: 'Validation Failed', errors: [{ resource: 'Release', code: 'custom', message: 'tag name is protected' }] }, /releases$/),
    run: withBranch(async (stage) => stage.act(await approvedCampaign(stage))),
  },
  'failure-permission': {
    hooks: rejecting(403, { message: 'Resource not accessible by integration' }, /git\/refs$/),
    run: (stage) => stage.ship(TAG),
  },
  'failure-asset': {
    hooks: { after: once(is('POST', /releases\/\d+\/assets$/), (exchange) => changed(exchange, (asset) => ({ ...asset, digest: `sha256:${'0'.repeat(64)}` }))) },
    run: withAssets((stage) => stage.ship(FULL_RELEASE)),
  },
  unknown: {
    // GitHub does it and says that it could not, and does not answer those who look.
    hooks: { after: (exchange) => (is('POST', /git\/refs$/)(exchange) || is('GET', /git\/ref\//)(exchange)) && (exchange.answer = { ...exchange.answer, status: 502, body: Buffer.from('') }) },
    run: async (stage) => stage.act({ ...(await stage.approved(TAG)), 'max-wait': '0' }),
  },
  resume: (({ killing, hooks }) => ({
    hooks,
    run: withAssets(async (stage) => resumed(stage, await stage.approved(FULL_RELEASE), killing)),
  }))(holding('PATCH', /releases\/\d+$/)),
};
