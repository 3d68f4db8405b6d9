// The example operations: one file each, in the order of their names.

export type Example = { name: string; title: string; about: string; query: string };

const FILES = import.meta.glob<string>("./examples/*.graphql", {
  query: "?raw",
  import: "default",
  eager: true,
});

export const EXAMPLES: Example[] = Object.entries(FILES)
  .sort(([left], [right]) => left.localeCompare(right))
  .map(([path, query]) => describe(path, query));

/** The files write the current time as 1970: the gateway rejects an event that is too old. */
const NOW = "1970-01-01T00:00:00Z";

export function queryAt(example: Example, now: Date): string {
  return example.query.replaceAll(NOW, now.toISOString());
}

/** The first comment line of a file is the title; the next comment lines describe the example. */
function describe(path: string, query: string): Example {
  const lines = query.split("\n");
  const end = lines.findIndex((line) => !line.startsWith("#"));
  const [title = path, ...about] = lines.slice(0, end).map((line) => line.slice(1).trim());
  const name = path.replace(/^.*\/\d*-?|\.graphql$/g, "");
  return { name, title, about: about.join(" "), query };
}
