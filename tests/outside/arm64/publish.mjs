// The ways that publish, each once, and the ledger that they leave.
import { drive } from '../github/flows.mjs';
import { verdict } from '../github/stage.mjs';

await drive('ARM64', {
  only: ['a release with assets', 'a release that was killed before it was visible', 'a tag', 'a pull request with labels and reviewers', 'the ledger, shown and verified'],
});
verdict();
