// All checks of this topic, one after the other.
import path from 'node:path';
import { compare, judge as publishAtEmulate } from './emulate.mjs';
import { drive } from './flows.mjs';
import { judge as judgeDocuments } from './graphql.mjs';
import { judge as replay, judgeServers, selfTest } from './prism.mjs';
import { promised } from './promised.mjs';
import { judge as judgeRecorded } from './recorded/judge.mjs';
import { check, expect, verdict } from './stage.mjs';

/** Every request of the product, `PATCH …/pulls/{pull_number}` (closing what nobody approved) and `GET …/git/blobs` (cut texts) included. */
const ENDPOINTS = [
  'GET /rate_limit', 'GET ', 'GET /activity', 'GET /actions/artifacts/{artifact_id}/{archive_format}', 'GET /actions/runs/{run_id}', 'GET /actions/runs/{run_id}/approvals',
  'GET /actions/runs/{run_id}/artifacts', 'POST /actions/workflows/{workflow_id}/dispatches', 'GET /contents/{path}', 'GET /git/blobs/{file_sha}',
  'POST /git/commits', 'GET /git/commits/{commit_sha}', 'GET /git/ref/{ref}', 'POST /git/refs', 'POST /git/tags', 'GET /git/tags/{tag_sha}', 'POST /git/trees',
  'POST /issues/{issue_number}/labels', 'GET /pulls', 'POST /pulls', 'PATCH /pulls/{pull_number}', 'POST /pulls/{pull_number}/requested_reviewers',
  'GET /releases', 'POST /releases', 'DELETE /releases/assets/{asset_id}', 'GET /releases/assets/{asset_id}', 'POST /releases/generate-notes',
  'GET /releases/tags/{tag}', 'GET /releases/{release_id}', 'PATCH /releases/{release_id}', 'DELETE /releases/{release_id}',
  'GET /releases/{release_id}/assets', 'POST /releases/{release_id}/assets', 'GET /rules/branches/{branch}', 'POST /rulesets',
].map((endpoint) => (endpoint === 'GET /rate_limit' ? endpoint : endpoint.replace(' ', ' /repos/{owner}/{repo}')));

const transcript = path.join(process.env.STAGE, 'transcript');
const sent = await drive('drive', { transcript });
await judgeDocuments('src/github/documents', sent);
await selfTest(transcript);
await replay('Prism', transcript, ENDPOINTS);
await judgeServers(transcript, ['ghec', 'ghes-3.17', 'ghes-3.18', 'ghes-3.19']);
if (process.env.TRANSCRIPT) await replay('Prism, of TRANSCRIPT', process.env.TRANSCRIPT);
await check('with promised members alone: the others are taken away', () => {
  const body = Buffer.from(JSON.stringify([{ id: 1, discussion_url: 'x', author: { login: 'a', name: 'b' }, assets: [{ size: 1, more: 2 }] }]));
  const exchange = { method: 'GET', path: '/repos/o/r/releases?page=1', answer: { status: 200, headers: { 'content-type': 'application/json' }, body } };
  promised(exchange);
  expect(JSON.parse(exchange.answer.body), [{ id: 1, author: { login: 'a' }, assets: [{ size: 1 }] }], 'what is left');
});
await drive('with promised members alone', { after: promised });
await judgeRecorded(ENDPOINTS);
await compare();
await publishAtEmulate();
verdict();
