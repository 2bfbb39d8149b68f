// Recorded exchanges with the live service as a judge of product and simulator.
import { check } from '../stage.mjs';
import { judgeAnswers } from './answered.mjs';
import { judgeEndings } from './endings.mjs';
import { recorded } from './exchanges.mjs';
import { judgeReaders } from './readers.mjs';
import { judgeRefusals } from './refusals.mjs';
import { judgeSimulator } from './simulated.mjs';

/** Endpoints of the product that no scenario asks for. */
const UNRECORDED = [
  'GET /activity',
  'GET /actions/artifacts/{artifact_id}/{archive_format}',
  'GET /actions/runs/{run_id}',
  'GET /actions/runs/{run_id}/approvals',
  'GET /actions/runs/{run_id}/artifacts',
  'POST /actions/workflows/{workflow_id}/dispatches',
  'GET /git/blobs/{file_sha}',
  'GET /git/commits/{commit_sha}',
  'POST /git/commits',
  'GET /git/ref/{ref}',
  'POST /git/tags',
  'GET /git/tags/{tag_sha}',
  'POST /git/trees',
  'GET /pulls',
  'POST /pulls',
  'PATCH /pulls/{pull_number}',
  'POST /pulls/{pull_number}/requested_reviewers',
  'GET /releases',
  'POST /releases/generate-notes',
  'GET /releases/{release_id}',
  'PATCH /releases/{release_id}',
  'DELETE /releases/{release_id}',
  'GET /rules/branches/{branch}',
  'POST /rulesets',
]
  .map((endpoint) => endpoint.replace(' ', ' /repos/{owner}/{repo}'))
  .concat('GET /rate_limit');

/** Holds every recorded exchange of these endpoints against product and simulator. */
export async function judge(endpoints) {
  const exchanges = recorded().filter(({ endpoint }) => endpoints.includes(endpoint));
  for (const endpoint of endpoints) {
    await check(`recorded: ${endpoint}`, () => {
      const count = exchanges.filter((one) => one.endpoint === endpoint).length;
      if ((count === 0) !== UNRECORDED.includes(endpoint)) throw new Error(`${count} exchanges`);
      return `${count} exchanges`;
    });
  }
  await judgeSimulator(exchanges);
  await judgeReaders(exchanges);
  await judgeRefusals(exchanges);
  await judgeAnswers();
  await judgeEndings();
}
