// What the summaries need beside the stage of the other checks: a key of node's own, so that receipts with any terms can be signed.
import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { scene } from '../github/flows.mjs';

export { CAMPAIGN, changed, holding, is, once, resumed } from '../github/flows.mjs';
export { RUN, expect, json } from '../github/stage.mjs';

export const RELEASE = { operation: 'publish_release', 'tag-name': 'v1.0.0', body: 'First.\n' };
export const TAG = { operation: 'tag_repo', 'tag-name': 'v1.0.0', message: 'Version 1.0.0' };
export const PULL = { operation: 'open_pr', title: 'Next', 'head-branch': 'next', 'base-branch': 'main', body: 'Text' };
export const APPROVER = 'alice@example.org';

/** A simulator with a ledger and one approver; gives what `work` gives. */
export async function on(work, hooks = {}) {
  let given;
  await scene(hooks, {}, async (stage, sim) => {
    stage.trusted = newKey(`${stage.folder}/alice`, APPROVER);
    given = await work(stage, sim);
  });
  return given;
}

/** Makes a key file; gives the line that trusts it. */
export function newKey(file, name) {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  return trusted(publicKey, name);
}

function trusted(publicKey, name) {
  const part = (bytes) => Buffer.concat([Buffer.from([0, 0, 0, bytes.length]), bytes]);
  const point = Buffer.from(publicKey.export({ format: 'jwk' }).x, 'base64url');
  return `ssh-ed25519 ${Buffer.concat([part(Buffer.from('ssh-ed25519')), part(point)]).toString('base64')} ${name}`;
}

/** The same receipt with other words, signed again by the approver. */
export function resigned(stage, receipt, edit) {
  const envelope = JSON.parse(receipt);
  const statement = JSON.parse(Buffer.from(envelope.payload, 'base64'));
  edit(statement.predicate, statement);
  const payload = Buffer.from(JSON.stringify(statement));
  const message = Buffer.concat([Buffer.from(`DSSEv1 ${envelope.payloadType.length} ${envelope.payloadType} ${payload.length} `), payload]);
  const key = createPrivateKey(readFileSync(`${stage.folder}/alice`));
  const { keyid } = envelope.signatures[0];
  return JSON.stringify({ ...envelope, payload: payload.toString('base64'), signatures: [{ keyid, sig: sign(null, message, key).toString('base64') }] });
}

/** A moment in the form that receipts have. */
export const moment = (text, seconds = 0) => new Date(Date.parse(text) + seconds * 1000).toISOString().replace(/\.\d+Z$/, 'Z');

/** The key's line without its name. */
export const bare = (line) => line.split(' ').slice(0, 2).join(' ');
export const lineOf = (file, name) => trusted(createPublicKey(readFileSync(file)), name);
