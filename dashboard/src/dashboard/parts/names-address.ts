// Names by dimension, as stored with alerts and panels: as a filter of the API, and as parameters of the address.
import type { Dimension, MetricFilter } from "../../../generated/graphql";
import { type Change, DIMENSIONS } from "../address/view";

export type Names = { dimension: Dimension; names: string[] }[];

export function filterOf(names: Names): MetricFilter {
  return Object.fromEntries(names.map((one) => [fieldOf(one.dimension), one.names]));
}

/** Names of the dimensions that pages can be filtered by are parameters of their own, all others one. */
export function filterAddress(filter: Names, isKnown: (dimension: string) => boolean = () => true): Change {
  const address: Change = {};
  const more: Names = [];
  for (const one of filter) {
    const own = DIMENSIONS.find((dimension) => dimension !== "project" && dimension === one.dimension.toLowerCase() && isKnown(dimension));
    if (own) address[own] = one.names;
    else more.push(one);
  }
  return { ...address, more: more.length > 0 ? JSON.stringify(filterOf(more)) : null };
}

/** The field of a filter that takes names of a dimension, such as `errorTypes`. */
function fieldOf(dimension: Dimension): string {
  if (dimension === "SEVERITY") return "severities";
  return `${dimension.toLowerCase().replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())}s`;
}
