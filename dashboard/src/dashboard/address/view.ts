// What the reader looks at, all of it in the address: range, zone, comparison and filters.
import { useMemo, useRef } from "react";

import type { ApiFilter, BuildFilter, BuildPhaseFilter, Comparison, DeploymentFilter, ErrorFilter, FunctionFilter } from "../../../generated/graphql";
import { go, hrefOf, useAddress } from "./location";
import { namesOf, textOf } from "./names";
import { NoRange, type Span, spanOf, USUAL_RANGE } from "./span";
import { isZone, ownZone } from "./zones";

/** The dimensions that every page can be narrowed down by, as the address names them. */
export const DIMENSIONS = ["project", "network", "template", "environment"] as const;
export type Dimension = (typeof DIMENSIONS)[number];

/** The parameters that a link to another page keeps. */
const SHARED = ["range", "zone", "compare", ...DIMENSIONS];

export const COMPARISONS: { name: string; label: string; short: string; value: Comparison }[] = [
  { name: "previous", label: "the period before", short: "before", value: "PREVIOUS_PERIOD" },
  { name: "week", label: "a week before", short: "week before", value: "PREVIOUS_WEEK" },
  { name: "month", label: "a month before", short: "month before", value: "PREVIOUS_MONTH" },
];

/** Parameters to change: texts as they are written, names as a list of them. */
export type Change = Record<string, string | string[] | null>;

export type View = Span & {
  zone: string;
  /** What the address asks for that there is not, as sentences; the usual is shown in its place. */
  faults: string[];
  compare: Comparison;
  compareLabel: string;
  /** The same where there is little room: `before`. */
  compareShort: string;
  filter: DeploymentFilter;
  /** The same without the networks. */
  everywhere: DeploymentFilter;
  errorFilter: ErrorFilter;
  /** Builds have no network, functions and the API no template either: those filters are left out. */
  buildFilter: BuildFilter;
  phaseFilter: BuildPhaseFilter;
  functionFilter: FunctionFilter;
  apiFilter: ApiFilter;
  /** The project, or the first of those chosen; "" for all. */
  slug: string;
  /** The value of a parameter, or "". */
  value: (name: string) => string;
  /** The values of a parameter that takes a list. */
  values: (name: string) => string[];
  /** The address of a page with the same range and filters, and these changes. */
  link: (path: string, change?: Change) => string;
  /** Changes parameters of this page's address. */
  change: (change: Change) => void;
};

export function useView(): View {
  const { path, query } = useAddress();
  return useMemo(() => viewOf(path, query), [path, query]);
}

function viewOf(path: string, query: URLSearchParams): View {
  const value = (name: string) => query.get(name) ?? "";
  const values = (name: string) => namesOf(value(name));
  const filter = filterOf(values, DIMENSIONS);
  const placeFilter = filterOf(values, ["project", "environment"]);
  const everywhere = filterOf(values, ["project", "template", "environment"]);
  const faults: string[] = [];
  const zone = zoneOf(value("zone"), faults);
  const span = rangeOf(value("range"), zone, faults);
  const comparison = COMPARISONS.find(({ name }) => name === value("compare")) ?? COMPARISONS[0];
  return {
    ...span,
    zone,
    faults,
    compare: comparison?.value ?? "PREVIOUS_PERIOD",
    compareLabel: comparison?.label ?? "",
    compareShort: comparison?.short ?? "",
    filter,
    errorFilter: filter,
    everywhere,
    buildFilter: everywhere,
    phaseFilter: everywhere,
    functionFilter: placeFilter,
    apiFilter: placeFilter,
    slug: values("project")[0] ?? "",
    value,
    values,
    link: (target, change = {}) => hrefOf(target, changed(shared(query), change)),
    change: (change) => go(hrefOf(path, changed(query, { after: null, ...change }))),
  };
}

function filterOf(values: (name: string) => string[], names: readonly Dimension[]): Partial<Record<`${Dimension}s`, string[]>> {
  return Object.fromEntries(names.filter((name) => values(name).length > 0).map((name) => [`${name}s`, values(name)]));
}

/**
 * Writes range and zone into the address, so that a link shows everybody the same. Who can see only
 * one project and opens the overview without a link to something lands in that project.
 */
export function useWholeAddress(only: string | null): void {
  const { path, query } = useAddress();
  const isLanding = useRef(path === "/" && !query.has("range"));
  const project = isLanding.current && path === "/" && !query.has("project") ? only : null;
  if (query.has("range") && query.has("zone") && project === null) return;
  const whole = { range: value(query, "range", USUAL_RANGE), zone: value(query, "zone", ownZone()), ...(project ? { project } : {}) };
  queueMicrotask(() => {
    if (project !== null) isLanding.current = false;
    go(hrefOf(path, changed(query, whole)) + location.hash, { replace: true });
  });
}

function value(query: URLSearchParams, name: string, usual: string): string {
  return query.get(name) ?? usual;
}

function zoneOf(name: string, faults: string[]): string {
  if (name === "" || isZone(name)) return name || ownZone();
  faults.push(`There is no time zone “${name}”. Times are those of ${ownZone()}.`);
  return ownZone();
}

function rangeOf(name: string, zone: string, faults: string[]): Span {
  try {
    return spanOf(name || USUAL_RANGE, zone);
  } catch (error) {
    if (!(error instanceof NoRange)) throw error;
    faults.push(`${error.message} These are the last 7 days.`);
    return spanOf(USUAL_RANGE, zone);
  }
}

function shared(query: URLSearchParams): URLSearchParams {
  return new URLSearchParams([...query].filter(([name]) => SHARED.includes(name)));
}

function changed(query: URLSearchParams, change: Change): URLSearchParams {
  const next = new URLSearchParams(query);
  for (const [name, value] of Object.entries(change)) {
    const text = Array.isArray(value) ? textOf(value) : value;
    if (text === null || text === "") next.delete(name);
    else next.set(name, text);
  }
  return next;
}
