// What the reader looks at, all of it in the address: range, zone, comparison and filters.
import { useMemo } from "react";

import type { Comparison, DeploymentFilter, ErrorFilter, Interval, TimeRange } from "../../../generated/graphql";
import { go, hrefOf, useAddress } from "./location";

/** The dimensions that every page can be narrowed down by, as the address names them. */
export const DIMENSIONS = ["project", "network", "template", "environment"] as const;
export type Dimension = (typeof DIMENSIONS)[number];

/** The parameters that a link to another page keeps. */
const SHARED = ["range", "zone", "compare", ...DIMENSIONS];

export const RANGES = [
  { name: "1h", label: "1 hour", duration: "PT1H", hours: 1 },
  { name: "24h", label: "24 hours", duration: "P1D", hours: 24 },
  { name: "7d", label: "7 days", duration: "P7D", hours: 168 },
  { name: "30d", label: "30 days", duration: "P30D", hours: 720 },
  { name: "90d", label: "90 days", duration: "P90D", hours: 2160 },
] as const;
const USUAL_RANGE = RANGES[2];

export const COMPARISONS: { name: string; label: string; value: Comparison }[] = [
  { name: "previous", label: "the period before", value: "PREVIOUS_PERIOD" },
  { name: "week", label: "a week before", value: "PREVIOUS_WEEK" },
  { name: "month", label: "a month before", value: "PREVIOUS_MONTH" },
];

export type Change = Record<string, string | string[] | null>;

export type View = {
  range: TimeRange;
  rangeName: string;
  interval: Interval;
  zone: string;
  compare: Comparison;
  compareLabel: string;
  filter: DeploymentFilter;
  errorFilter: ErrorFilter;
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
  const values = (name: string) => value(name).split(",").filter(Boolean);
  const filter = filterOf(values);
  const { framework: _framework, ...errorFilter } = { framework: null, ...filter };
  const span = rangeOf(value("range"));
  const comparison = COMPARISONS.find(({ name }) => name === value("compare")) ?? COMPARISONS[0];
  return {
    ...span,
    zone: value("zone") || ownZone(),
    compare: comparison?.value ?? "PREVIOUS_PERIOD",
    compareLabel: comparison?.label ?? "",
    filter,
    errorFilter,
    slug: values("project")[0] ?? "",
    value,
    values,
    link: (target, change = {}) => hrefOf(target, changed(shared(query), change)),
    change: (change) => go(hrefOf(path, changed(query, { after: null, ...change }))),
  };
}

function filterOf(values: (name: string) => string[]): DeploymentFilter {
  const filter: Record<string, string[]> = {};
  for (const name of DIMENSIONS) {
    if (values(name).length > 0) filter[`${name}s`] = values(name);
  }
  return filter;
}

/** Writes range and zone into the address, so that a link shows everybody the same. */
export function useWholeAddress(): void {
  const { path, query } = useAddress();
  if (query.has("range") && query.has("zone")) return;
  const whole = { range: value(query, "range", USUAL_RANGE.name), zone: value(query, "zone", ownZone()) };
  queueMicrotask(() => go(hrefOf(path, changed(query, whole)), { replace: true }));
}

function value(query: URLSearchParams, name: string, usual: string): string {
  return query.get(name) ?? usual;
}

function ownZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
}

const DAYS = /^(\d{4}-\d\d-\d\d)\.\.(\d{4}-\d\d-\d\d)$/;

/** A named range, or whole days as `2026-11-01..2026-11-07`; the usual one if it is neither. */
function rangeOf(name: string): { range: TimeRange; rangeName: string; interval: Interval } {
  const days = DAYS.exec(name);
  const first = Date.parse(days?.[1] ?? "");
  const count = Math.round((Date.parse(days?.[2] ?? "") - first) / 86_400_000) + 1;
  if (days?.[1] && count >= 1 && count <= 400) {
    const range = { calendar: { unit: "DAY" as const, date: days[1], count } };
    return { range, rangeName: name, interval: intervalOf(count * 24) };
  }
  const named = RANGES.find((one) => one.name === name) ?? USUAL_RANGE;
  return { range: { last: named.duration }, rangeName: named.name, interval: intervalOf(named.hours) };
}

function intervalOf(hours: number): Interval {
  if (hours <= 2) return "MINUTE";
  if (hours <= 24 * 7) return "HOUR";
  return hours <= 24 * 120 ? "DAY" : "WEEK";
}

function shared(query: URLSearchParams): URLSearchParams {
  return new URLSearchParams([...query].filter(([name]) => SHARED.includes(name)));
}

function changed(query: URLSearchParams, change: Change): URLSearchParams {
  const next = new URLSearchParams(query);
  for (const [name, value] of Object.entries(change)) {
    const text = Array.isArray(value) ? value.join(",") : value;
    if (text === null || text === "") next.delete(name);
    else next.set(name, text);
  }
  return next;
}
