// Answers of the live service that were published in reports rather than as fixtures, byte for byte
// where the report has the bytes. Ids and names are made up. `facts` are rows of sim/FACTS.md.

const GRAPHQL = {
  'content-type': 'application/json; charset=utf-8',
  'x-ratelimit-resource': 'graphql',
};
const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8' };
const HTML = { 'content-type': 'text/html; charset=utf-8' };
const DOCS = 'https://docs.github.com/rest';

const OID = '0'.repeat(40);

/** An error of the ledger's append; the payload is null. */
const refusedAppend = (error) => ({
  status: 200,
  headers: GRAPHQL,
  body: {
    data: { createCommitOnBranch: null },
    errors: [{ ...error, path: ['createCommitOnBranch'], locations: [{ line: 2, column: 3 }] }],
  },
});

const refused = (status, body) => ({ status, headers: JSON_TYPE, body });

export const OURS = {
  'the limit of GraphQL': {
    facts: ['U1', 'R1', 'S3'],
    status: 200,
    headers: GRAPHQL,
    body: {
      errors: [
        {
          type: 'RATE_LIMIT',
          code: 'graphql_rate_limit',
          message: 'API rate limit already exceeded for installation ID 1.',
        },
      ],
    },
  },
  'the limit of GraphQL, as it was called until about 2025': {
    facts: ['U1'],
    status: 200,
    headers: GRAPHQL,
    body: {
      errors: [{ type: 'RATE_LIMITED', message: 'API rate limit exceeded for installation ID 1.' }],
    },
  },
  'a secondary limit of GraphQL without a type': {
    facts: ['U6'],
    status: 200,
    headers: GRAPHQL,
    body: {
      errors: [
        {
          message:
            'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.',
        },
      ],
    },
  },
  'a stale head': {
    facts: ['A13'],
    ...refusedAppend({
      type: 'STALE_DATA',
      message: `Expected branch to point to "${OID}" but it did not.  Pull and try again.`,
    }),
  },
  'an append that classic protection refuses': {
    facts: ['F4', 'R2', 'S4', 'B13'],
    ...refusedAppend({
      type: 'BRANCH_PROTECTION_RULE_VIOLATION',
      message:
        "protected branch 'receipt-ledger' check failed:\n  Changes must be made through a pull request.",
    }),
  },
  'an append that a ruleset refuses': {
    facts: ['F4', 'B12'],
    ...refusedAppend({
      type: 'FORBIDDEN',
      message:
        'Repository rule violations found\n\n3 of 3 required status checks are expected.\n\n',
    }),
  },
  'a mutation that validates': {
    facts: ['R3', 'S11'],
    status: 200,
    headers: GRAPHQL,
    body: {
      data: { createCommitOnBranch: { commit: null, ref: null } },
      errors: [
        { type: 'UNPROCESSABLE', path: ['createCommitOnBranch'], message: 'A path is not valid.' },
      ],
    },
  },
  'a query that took too long': {
    facts: ['B7'],
    status: 200,
    headers: GRAPHQL,
    body: {
      data: null,
      errors: [
        {
          message:
            'Something went wrong while executing your query. This may be the result of a timeout, or it could be a GitHub bug. Please include `0000:0000:0:0:0` when reporting this issue.',
        },
      ],
    },
  },
  'an error of GraphQL whose type is null': {
    facts: ['B7'],
    status: 200,
    headers: GRAPHQL,
    body: { data: null, errors: [{ type: null, message: 'Something went wrong.' }] },
  },
  'rules that the token may not read': {
    facts: ['S12', 'A7'],
    error: {
      type: 'FORBIDDEN',
      path: ['repository', 'ledger', 'rules'],
      extensions: { saml_failure: false },
      locations: [{ line: 1, column: 1 }],
      message: 'Resource not accessible by integration',
    },
  },
  'a gateway that gives up': {
    facts: [],
    status: 502,
    headers: { 'content-type': 'text/html' },
    text: '<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n',
  },
  'a unicorn': {
    facts: [],
    status: 503,
    headers: { ...HTML, 'x-ratelimit-limit': '1000', 'x-ratelimit-remaining': '900' },
    text: '<!DOCTYPE html>\n<html>\n  <head><title>Unicorn! &middot; GitHub</title></head>\n  <body><p><strong>No server is currently available to service your request.</strong></p></body>\n</html>\n',
  },
  'a repository that was renamed, read': {
    facts: ['R4', 'S5'],
    status: 301,
    headers: { ...JSON_TYPE, location: 'https://api.github.com/repositories/1' },
    body: {
      message: 'Moved Permanently',
      url: 'https://api.github.com/repositories/1',
      documentation_url:
        'https://docs.github.com/rest/guides/best-practices-for-using-the-rest-api#follow-redirects',
    },
  },
  'a repository that was renamed, written to': {
    facts: ['R4', 'S5'],
    status: 307,
    headers: { ...JSON_TYPE, location: 'https://api.github.com/repositories/1' },
    body: {
      message: 'Moved Permanently',
      url: 'https://api.github.com/repositories/1',
      documentation_url:
        'https://docs.github.com/rest/guides/best-practices-for-using-the-rest-api#follow-redirects',
    },
  },
  'the bytes of an asset': {
    facts: ['S6'],
    status: 302,
    headers: {
      ...HTML,
      'content-length': '0',
      location: 'https://release-assets.githubusercontent.com/x',
    },
    text: '',
  },
  'an archive that is asked for as bytes': {
    facts: ['F1', 'S2'],
    ...refused(415, {
      message:
        "Unsupported 'Accept' header: 'application/octet-stream'. Must accept 'application/json'.",
      documentation_url: DOCS,
      status: '415',
    }),
  },
  'a ref that exists': {
    facts: ['A40'],
    ...refused(422, {
      message: 'Reference already exists',
      documentation_url: DOCS,
      status: '422',
    }),
  },
  'an object that is not there yet': {
    facts: ['U2'],
    ...refused(404, { message: 'Not Found', documentation_url: DOCS, status: '404' }),
  },
  'an object that does not exist yet': {
    facts: ['U2'],
    ...refused(422, { message: 'Object does not exist', documentation_url: DOCS, status: '422' }),
  },
  'errors as one string': {
    facts: ['R6'],
    ...refused(422, {
      message: 'Validation Failed',
      errors: 'Validation failed: a reason in one string',
      documentation_url: DOCS,
      status: '422',
    }),
  },
  'errors as strings': {
    facts: ['R6', 'A24', 'S7'],
    ...refused(422, {
      message: 'Validation Failed',
      errors: ['Name must be unique'],
      documentation_url: DOCS,
      status: '422',
    }),
  },
  'a refusal without errors': {
    facts: ['R6'],
    ...refused(422, {
      message:
        'Reviews may only be requested from collaborators. One or more of the users or teams you specified is not a collaborator of the octo/hello repository.',
      documentation_url: DOCS,
      status: '422',
    }),
  },
  'a pull request too soon after another': {
    facts: ['U6', 'R5'],
    ...refused(422, {
      message: 'Validation Failed',
      errors: [{ resource: 'PullRequest', code: 'custom', message: 'was submitted too quickly' }],
      documentation_url: DOCS,
      status: '422',
    }),
  },
  'rules of a private repository on a free plan': {
    facts: ['F3', 'S8'],
    ...refused(403, {
      message: 'Upgrade to GitHub Pro or make this repository public to enable this feature.',
      documentation_url: DOCS,
      status: '403',
    }),
  },
  'a commit with a malformed tree': {
    facts: ['S15'],
    ...refused(422, {
      message: 'The tree parameter must be exactly 40 characters and contain only [0-9a-f].',
      documentation_url: DOCS,
      status: '422',
    }),
  },
  'a file that is not there': {
    facts: ['F0', 'S1'],
    status: 200,
    headers: GRAPHQL,
    body: {
      data: { repository: { object: { file: null } } },
      errors: [
        {
          type: 'NOT_FOUND',
          path: ['repository', 'object', 'file'],
          locations: [{ line: 1, column: 1 }],
          message: "Could not resolve file for path 'absent'.",
        },
      ],
    },
  },
};

/** What the proxy answers; a text is sent as it is. */
export function answer({ status, headers, body, text }, more = {}) {
  return {
    status,
    headers: { ...headers, ...more },
    body: Buffer.from(text ?? JSON.stringify(body)),
  };
}
