// Uploads what actions/upload-artifact would: every named file that exists, below the folder that they have in common.
import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname, join, resolve, sep } from "node:path";
import { DefaultArtifactClient } from "@actions/artifact";
import * as core from "@actions/core";

const filesOf = (path) => (statSync(path).isDirectory() ? readdirSync(path).flatMap((name) => filesOf(join(path, name))) : [path]);

function commonFolder(folders) {
  const [first, ...others] = folders.map((folder) => folder.split(sep));
  const differs = first.findIndex((part, index) => others.some((other) => other[index] !== part));
  return first.slice(0, differs < 0 ? undefined : differs).join(sep) || sep;
}

async function main() {
  const paths = core.getMultilineInput("path").map((path) => resolve(path)).filter((path) => existsSync(path));
  const files = paths.flatMap(filesOf);
  if (files.length === 0) {
    if (core.getInput("if-no-files-found") === "error") throw new Error("no file was found");
    return;
  }
  const roots = paths.map((path) => (statSync(path).isDirectory() ? path : dirname(path)));
  await new DefaultArtifactClient().uploadArtifact(core.getInput("name"), files, commonFolder(roots));
}

main().catch((error) => core.setFailed(error.message));
