// Judges SARIF by its own schema, as the package of its authors brings it.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { packageFile } from './stage.mjs';

const folder = '@microsoft/jest-sarif';
// Made when the first log is judged: other topics drive the same flows, and have not installed this package.
let valid;

function validator() {
  const require = createRequire(packageFile(folder, 'package.json'));
  // The schema is of draft 4, which only this package's older validator knows.
  const Ajv = require('ajv');
  const made = new Ajv({ meta: false, schemaId: 'auto', unknownFormats: 'ignore' });
  made.addMetaSchema(require('ajv/lib/refs/json-schema-draft-04.json'));
  return made.compile(JSON.parse(readFileSync(packageFile(folder, 'lib/schemas/sarif-2.1.0-rtm.5.json'), 'utf8')));
}

/** What is wrong with a log. */
export function faults(log) {
  valid ??= validator();
  return valid(log) ? [] : valid.errors.map((error) => `${error.dataPath} ${error.message}`);
}
