// The operation that a link brought: `/graphql#query=…&variables=…`, as the dashboard's charts have it.

export type Linked = { query: string; variables: string };

/** Takes the operation out of the address; null if it holds none. */
export function takeLinked(): Linked | null {
  const parameters = new URLSearchParams(location.hash.slice(1));
  const query = parameters.get("query");
  if (query === null) return null;
  history.replaceState(null, "", location.pathname + location.search);
  return { query, variables: parameters.get("variables") ?? "" };
}
