// The size of the screen.

/** Whether the screen is narrow, by the same limit as in design/graphiql.css. */
export function isNarrow(): boolean {
  return innerWidth < 800;
}
