// Where the simulator's answers differ from recorded ones, and why that does not matter.
// Each line is one difference as shape.mjs words it; delete a line that no longer occurs.

const lacks = (names, place = '') => names.map((name) => `lacks ${place}${name}`);
const headers = (names) => names.map((name) => `lacks header ${name}`);

const RELEASES = [
  'POST /repos/{owner}/{repo}/releases',
  'GET /repos/{owner}/{repo}/releases/tags/{tag}',
];
const UPLOAD = 'POST /repos/{owner}/{repo}/releases/{release_id}/assets';
const ASSETS = 'GET /repos/{owner}/{repo}/releases/{release_id}/assets';
const ASSET = 'GET /repos/{owner}/{repo}/releases/assets/{asset_id}';

/** Members of a user that nothing here reads. */
const USER = [
  'avatar_url',
  'gravatar_id',
  'url',
  'html_url',
  'followers_url',
  'following_url',
  'gists_url',
  'starred_url',
  'subscriptions_url',
  'organizations_url',
  'repos_url',
  'events_url',
  'received_events_url',
];

/** Members of a repository that nothing here reads. */
const MEMBERS = [
  'description',
  'forks_url',
  'keys_url',
  'collaborators_url',
  'teams_url',
  'hooks_url',
  'issue_events_url',
  'events_url',
  'assignees_url',
  'branches_url',
  'tags_url',
  'blobs_url',
  'git_tags_url',
  'git_refs_url',
  'trees_url',
  'statuses_url',
  'languages_url',
  'stargazers_url',
  'contributors_url',
  'subscribers_url',
  'subscription_url',
  'commits_url',
  'git_commits_url',
  'comments_url',
  'issue_comment_url',
  'contents_url',
  'compare_url',
  'merges_url',
  'archive_url',
  'downloads_url',
  'issues_url',
  'pulls_url',
  'milestones_url',
  'notifications_url',
  'labels_url',
  'releases_url',
  'deployments_url',
  'created_at',
  'updated_at',
  'pushed_at',
  'git_url',
  'ssh_url',
  'clone_url',
  'svn_url',
  'homepage',
  'size',
  'stargazers_count',
  'watchers_count',
  'language',
  'has_issues',
  'has_projects',
  'has_downloads',
  'has_wiki',
  'has_pages',
  'forks_count',
  'mirror_url',
  'open_issues_count',
  'license',
  'allow_forking',
  'is_template',
  'web_commit_signoff_required',
  'topics',
  'forks',
  'open_issues',
  'watchers',
  'temp_clone_token',
  'allow_squash_merge',
  'allow_merge_commit',
  'allow_rebase_merge',
  'allow_auto_merge',
  'delete_branch_on_merge',
  'allow_update_branch',
  'use_squash_pr_title_as_default',
  'organization',
  'network_count',
  'subscribers_count',
];

export const EXPLAINED = [
  {
    why: 'addressed to browsers',
    lines: headers([
      'access-control-allow-origin',
      'access-control-expose-headers',
      'content-security-policy',
      'referrer-policy',
      'strict-transport-security',
      'x-content-type-options',
      'x-frame-options',
      'x-xss-protection',
    ]),
  },
  {
    why: 'addressed to caches; the product sends no conditional request',
    lines: headers(['cache-control', 'etag', 'last-modified', 'vary']),
  },
  {
    why: "recorded with a person's classic token; a job's token has no scopes",
    lines: headers(['x-accepted-oauth-scopes', 'x-oauth-scopes']),
  },
  {
    why: 'GitHub has named version and retirement of the API since 2022 and 2026, after these recordings',
    lines: [
      'has header deprecation',
      'has header sunset',
      'has header x-github-api-version-selected',
    ],
  },
  {
    why: 'GitHub has named the permission since 2023, after these recordings',
    lines: ['has header x-accepted-github-permissions'],
  },
  {
    why: 'the same bytes come in one piece here',
    on: [UPLOAD],
    lines: ['lacks header transfer-encoding', 'has header content-length'],
  },
  {
    why: 'GitHub has it since 2025, after these recordings',
    on: RELEASES,
    lines: ['has immutable', 'has updated_at'],
  },
  {
    why: 'GitHub has it since June 2025, after these recordings',
    on: [UPLOAD, ASSET],
    lines: ['has digest'],
  },
  {
    why: 'GitHub has it since June 2025, after these recordings',
    on: [ASSETS],
    lines: ['has [].digest'],
  },
  { why: 'nothing reads them', on: RELEASES, lines: lacks(USER, 'author.') },
  { why: 'nothing reads them', on: [UPLOAD, ASSET], lines: lacks(USER, 'uploader.') },
  { why: 'nothing reads them', on: [ASSETS], lines: lacks(USER, '[].uploader.') },
  {
    why: 'nothing reads them',
    on: ['get-repository 0'],
    lines: [
      ...lacks(MEMBERS),
      ...lacks(USER, 'owner.'),
      ...lacks(['maintain', 'triage'], 'permissions.'),
    ],
  },
  {
    why: 'the product never asks for folders',
    on: ['get-content 0'],
    lines: lacks(['size', 'html_url', 'git_url', 'download_url', '_links'], '[].'),
  },
  {
    why: 'the product never asks for raw bytes; the media type was renamed since',
    on: ['get-content 1'],
    lines: ['is application/vnd.github.raw+json, not application/vnd.github.v3.raw'],
  },
];
