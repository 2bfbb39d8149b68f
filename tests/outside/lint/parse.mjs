// Reads workflows and action.yml with the parser that GitHub publishes: one line for each mistake, `FILE: line N: what`.
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { convertWorkflowTemplate, NoOperationTraceWriter, parseWorkflow } from "@actions/workflow-parser";
import { convertActionTemplate, parseAction } from "@actions/workflow-parser/actions/index";

async function mistakes(path) {
  const file = { name: basename(path), content: readFileSync(path, "utf8") };
  const isAction = file.name === "action.yml";
  const { context, value } = (isAction ? parseAction : parseWorkflow)(file, new NoOperationTraceWriter());
  // The conversion looks at what the schema cannot say: needs, schedules, names of jobs.
  if (value !== undefined) await (isAction ? convertActionTemplate : convertWorkflowTemplate)(context, value);
  return context.errors.getErrors();
}

async function main(paths) {
  for (const path of paths) {
    for (const mistake of await mistakes(path)) {
      console.log(`${path}: line ${mistake.range?.start.line ?? "?"}: ${mistake.rawMessage}`);
      process.exitCode = 1;
    }
  }
}

main(process.argv.slice(2));
