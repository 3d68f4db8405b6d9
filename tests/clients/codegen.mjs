// graphql-codegen's types of the schema and of our operations, checked by the TypeScript compiler.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { codegen } from "@graphql-codegen/core";
import * as typescript from "@graphql-codegen/typescript";
import * as typescriptOperations from "@graphql-codegen/typescript-operations";
import { parse } from "graphql";
import ts from "typescript";
import { operations, tell } from "./common.mjs";

const warnings = [];
for (const kind of ["warn", "error"]) console[kind] = (...words) => warnings.push(words.join(" "));
process.on("warning", (warning) => warnings.push(String(warning)));

const schema = parse(readFileSync(process.env.GATEWAY_SCHEMA, "utf8"));
const documents = [{ location: "operations.graphql", document: parse(operations) }];
const scalars = {
  Date: "string", DateTime: "string", Duration: "string", JSON: "unknown", Long: "number", TimeZone: "string", UUID: "string",
};
const config = { scalars, strictScalars: true, enumsAsTypes: true };

async function generated(plugin, name) {
  return codegen({
    filename: `${name}.ts`, schema, documents, config, pluginMap: { [name]: plugin }, plugins: [{ [name]: {} }],
  });
}

function problems(files) {
  const folder = mkdtempSync(join(tmpdir(), "codegen-"));
  const paths = Object.entries(files).map(([name, text]) => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  });
  const options = { strict: true, noEmit: true, types: [], target: ts.ScriptTarget.ES2022 };
  const found = ts.getPreEmitDiagnostics(ts.createProgram(paths, options));
  rmSync(folder, { recursive: true });
  return found.map((one) => ts.flattenDiagnosticMessageText(one.messageText, "\n"));
}

const types = await generated(typescript, "typescript");
const results = await generated(typescriptOperations, "typescript-operations");
const use = `import type { AgainQuery, FiguresQuery } from "./operations";
export const rate = (figures: FiguresQuery): number => figures.deploymentStats!.successRate;
export const status = (again: AgainQuery): string | undefined =>
  again.node?.__typename === "Deployment" ? again.node.status : undefined;
`;
const files = { "schema.ts": types, "operations.ts": results, "use.ts": use };
const wrong = use.replace("): number", "): string");
tell({
  types: types.length,
  operations: [...results.matchAll(/export type (\w+(?:Query|Mutation|Subscription)) =/g)].map((match) => match[1]),
  warnings,
  problems: problems(files),
  problemsOfWrongUse: problems({ ...files, "use.ts": wrong }),
});
