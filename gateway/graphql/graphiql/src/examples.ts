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

/** In the files, the earliest of times stands for now: events too old are not accepted. */
const NOW = "1970-01-01T00:00:00Z";

export function queryAt(example: Example, now: Date): string {
  return example.query.replaceAll(NOW, now.toISOString());
}

/** The comment that opens a file is its title; the comment lines after that say what it shows. */
function describe(path: string, query: string): Example {
  const lines = query.split("\n");
  const end = lines.findIndex((line) => !line.startsWith("#"));
  const [title = path, ...about] = lines.slice(0, end).map((line) => line.slice(1).trim());
  const name = path.replace(/^.*\/\d*-?|\.graphql$/g, "");
  return { name, title, about: about.join(" "), query };
}
