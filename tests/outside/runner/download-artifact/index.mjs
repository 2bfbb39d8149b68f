// Downloads as actions/download-artifact does: from this run, or with a token from another by the public API.
import { DefaultArtifactClient } from "@actions/artifact";
import * as core from "@actions/core";

async function main() {
  const token = core.getInput("github-token");
  const [repositoryOwner, repositoryName] = process.env.GITHUB_REPOSITORY.split("/");
  const workflowRunId = Number(core.getInput("run-id"));
  const where = token ? { findBy: { token, workflowRunId, repositoryOwner, repositoryName } } : {};
  const client = new DefaultArtifactClient();
  const { artifact } = await client.getArtifact(core.getInput("name"), where);
  await client.downloadArtifact(artifact.id, { ...where, path: core.getInput("path") });
}

main().catch((error) => core.setFailed(error.message));
