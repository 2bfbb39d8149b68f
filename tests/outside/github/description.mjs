// GitHub's official description of REST, and how to find one's way in it.
import { readFileSync } from 'node:fs';
import { packageFile } from './stage.mjs';

/** Parameters that may hold slashes; the description cannot say so. */
const SLASHED = /^\/repos\/\{owner\}\/\{repo\}\/(git\/(ref|refs|matching-refs)\/\{ref\}|contents\/\{path\}|releases\/tags\/\{tag\}|rules\/branches\/\{branch\})$/;
export const METHODS = ['get', 'post', 'patch', 'put', 'delete'];

const load = (server) => JSON.parse(readFileSync(packageFile('@octokit/openapi', `generated/${server}.json`), 'utf8'));
export let description = load('api.github.com');
/** Goes on with the description of another server. */
export function use(server) {
  description = load(server);
}

/** What stands behind a reference. */
export const at = (value) => (value?.$ref ? value.$ref.slice(2).split('/').reduce((found, name) => found[name], description) : value);

/** The template of a path, literal segments first. */
export function template(pathname) {
  const segments = pathname.split('/');
  const fits = (known, wanted) => known.every((segment, index) => segment.startsWith('{') || segment === segments[index]) && wanted;
  const score = (found) => found.split('/').filter((segment) => !segment.startsWith('{')).length;
  const found = Object.keys(description.paths).filter((path) => {
    const known = path.split('/');
    return fits(known, SLASHED.test(path) ? segments.length >= known.length : segments.length === known.length);
  });
  return found.sort((a, b) => score(b) - score(a))[0];
}

/** The operation at a path, without references at its first level. */
export function described(method, pathname) {
  const operation = description.paths[template(pathname)]?.[method.toLowerCase()];
  if (!operation) return undefined;
  return { ...operation, responses: Object.fromEntries(Object.entries(operation.responses).map(([status, response]) => [status, at(response)])) };
}
