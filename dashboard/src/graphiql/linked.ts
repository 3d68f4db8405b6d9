// The operation that a link brought: `/graphql#query=…&variables=…`, as the dashboard's charts have it.

export type Linked = { query: string; variables: string };

/** Takes the operation out of the address, and leaves a token there; null if it holds none. */
export function takeLinked(): Linked | null {
  const parameters = new URLSearchParams(location.hash.slice(1));
  const query = parameters.get("query");
  if (query === null) return null;
  const variables = parameters.get("variables") ?? "";
  parameters.delete("query");
  parameters.delete("variables");
  const rest = parameters.size > 0 ? `#${parameters}` : "";
  history.replaceState(null, "", location.pathname + location.search + rest);
  return { query, variables };
}
