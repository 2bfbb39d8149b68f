// Judges SARIF by its own schema, as the package of its authors brings it.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { packageFile } from './stage.mjs';

const folder = '@microsoft/jest-sarif';
const require = createRequire(packageFile(folder, 'package.json'));
// The schema is of draft 4, which only this package's older validator knows.
const Ajv = require('ajv');
const validator = new Ajv({ meta: false, schemaId: 'auto', unknownFormats: 'ignore' });
validator.addMetaSchema(require('ajv/lib/refs/json-schema-draft-04.json'));
const valid = validator.compile(JSON.parse(readFileSync(packageFile(folder, 'lib/schemas/sarif-2.1.0-rtm.5.json'), 'utf8')));

/** What is wrong with a log. */
export const faults = (log) => (valid(log) ? [] : valid.errors.map((error) => `${error.dataPath} ${error.message}`));
