// Checks every GraphQL text of the dashboard against schema.graphql, and writes the types of their answers.
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { codegen } from "@graphql-codegen/core";
import * as operations from "@graphql-codegen/typescript-operations";
import { buildSchema, type DocumentNode, Kind, parse, printError, validate } from "graphql";

import { PANEL_VARIABLES } from "./src/dashboard/panels/variables.ts";

const HERE = import.meta.dirname;
const SOURCES = join(HERE, "src", "dashboard");
const GENERATED = join(HERE, "generated");
const SCHEMA = join(HERE, "..", "schema.graphql");

/** A GraphQL text of a source file: the argument of `graphql`, word for word. */
type Source = { file: string; text: string; document: DocumentNode };

function sources(): Source[] {
  const files = readdirSync(SOURCES, { recursive: true, encoding: "utf8" }).sort();
  return files
    .filter((name) => /\.tsx?$/.test(name))
    .flatMap((name) => {
      const code = readFileSync(join(SOURCES, name), "utf8");
      const file = relative(HERE, join(SOURCES, name));
      return [...code.matchAll(/\bgraphql\(`([^`]*)`\)/g)].map(([, text = ""]) => {
        return { file, text, document: parse(text) };
      });
    });
}

/** One operation with the fragments of all panels: a page asks a part of it. */
function allPanels(found: Source[]): Source {
  const spreads = found
    .flatMap(({ document }) => document.definitions)
    .filter((part) => part.kind === Kind.FRAGMENT_DEFINITION)
    .filter((part) => part.typeCondition.name.value === "Query")
    .map((part) => `...${part.name.value}`);
  const declared = Object.entries(PANEL_VARIABLES).map(([name, type]) => `$${name}: ${type}`);
  const text = `query AllPanels(${declared.join(", ")}) { ${spreads.join(" ")} }`;
  return { file: "all panels", text, document: parse(text) };
}

function overload({ text, document }: Source): string {
  const [first] = document.definitions;
  if (first?.kind === Kind.FRAGMENT_DEFINITION) {
    return `export function graphql(text: ${JSON.stringify(text)}): Text<${first.name.value}Fragment, object>;`;
  }
  if (first?.kind !== Kind.OPERATION_DEFINITION || first.name === undefined) {
    throw new Error(`A text holds one named operation or fragment:\n${text}`);
  }
  const kind = first.operation[0]?.toUpperCase() + first.operation.slice(1);
  const name = `${first.name.value}${kind}`;
  return `export function graphql(text: ${JSON.stringify(text)}): Text<${name}, ${name}Variables>;`;
}

const HEAD = `// Made by generate.ts from schema.graphql and the texts of the sources; not to be edited.
/** A GraphQL text with the types of its answer and its variables. */
export type Text<Data, Variables> = string & { readonly types?: (variables: Variables) => Data };

`;

async function main(): Promise<void> {
  const found = sources();
  const schema = buildSchema(readFileSync(SCHEMA, "utf8"));
  const documents = [...found, allPanels(found)];
  const whole = { kind: Kind.DOCUMENT, definitions: documents.flatMap((one) => one.document.definitions) } as const;
  const errors = validate(schema, whole);
  if (errors.length > 0) throw new Error(errors.map(printError).join("\n\n"));
  const types = await codegen({
    schema: parse(readFileSync(SCHEMA, "utf8")),
    schemaAst: schema,
    documents: documents.map(({ file, document }) => ({ location: file, document })),
    filename: "graphql.ts",
    plugins: [{ operations: {} }],
    pluginMap: { operations },
    config: {
      enumType: "string-literal",
      skipTypename: true,
      defaultScalarType: "unknown",
      scalars: { DateTime: "string", Date: "string", Duration: "string", Long: "number", TimeZone: "string", UUID: "string" },
    },
  });
  const implementation = "export function graphql(text: string): string {\n  return text;\n}\n";
  mkdirSync(GENERATED, { recursive: true });
  writeFileSync(join(GENERATED, "graphql.ts"), [HEAD, types, "", ...found.map(overload), implementation].join("\n"));
}

await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
