// How much room there is.

/** As narrow as the style sheet means it. */
export function isNarrow(): boolean {
  return innerWidth < 800;
}
