// Validates every GraphQL document of the product against GitHub's official schema: those in its sources, and those that it really sent.
import { readFileSync, readdirSync } from 'node:fs';
import { check, expect, installed, packageFile } from './stage.mjs';

const { buildSchema, parse, validate } = installed('graphql');
const schema = buildSchema(readFileSync(packageFile('@octokit/graphql-schema', 'schema.graphql'), 'utf8'), { assumeValid: true, assumeValidSDL: true });

const errors = (document) => validate(schema, parse(document)).map((error) => error.message);

/** `folder` holds the documents of the sources, `sent` those that went over the wire. */
export async function judge(folder, sent) {
  await check('GraphQL: a wrong document would be found', () => {
    expect(errors('query A { repository(owner: "o", name: "r") { tipOfDay } }'), ['Cannot query field "tipOfDay" on type "Repository".'], 'the error');
  });
  const written = new Map(readdirSync(folder).filter((name) => name.endsWith('.graphql')).map((name) => [name, readFileSync(`${folder}/${name}`, 'utf8')]));
  for (const [name, document] of written) {
    await check(`GraphQL: ${name} is valid`, () => expect(errors(document), [], 'the list of errors'));
  }
  const known = new Set([...written.values()]);
  const composed = [...sent].filter((document) => !known.has(document));
  for (const shape of ['Blob', 'Tree']) {
    const documents = composed.filter((document) => document.includes(`... on ${shape}`));
    await check(`GraphQL: the queries for each ${shape.toLowerCase()} of a ledger, composed at run time, are valid`, () => {
      if (documents.length === 0) throw new Error('none was sent');
      expect(documents.flatMap(errors), [], 'the list of errors');
      return `${documents.length} documents`;
    });
  }
  await check('GraphQL: every document of the sources was sent, and nothing else but those for the ledger', () => {
    expect([...written.keys()].filter((name) => !sent.has(written.get(name))), [], 'the list of documents that were not sent');
    expect(composed.filter((document) => !document.startsWith('query LedgerFiles(')), [], 'the list of others');
    return `${sent.size} documents`;
  });
  await check('GraphQL: nothing in use is deprecated', () => {
    const { NoDeprecatedCustomRule } = installed('graphql');
    const found = [...sent].flatMap((document) => validate(schema, parse(document), [NoDeprecatedCustomRule]).map((error) => error.message));
    expect(found, [], 'the list');
  });
}
