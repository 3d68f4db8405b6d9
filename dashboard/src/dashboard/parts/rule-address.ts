// What an alert watches, as parameters of the address: the form that makes or changes one has no other state.
import { type AlertOperator, type AlertSeverity, type AlertTriggerInput, type Dimension, graphql, type MetricFilter, type WholeTriggerFragment } from "../../../generated/graphql";
import type { Change, View } from "../address/view";
import { type Measure } from "../api/catalogue";
import { lower } from "../format/words";
import { metricFilterOf } from "./measure-choice";
import { filterAddress } from "./names-address";
import { OPERATORS } from "./trigger";

export const USUAL_WINDOW = "PT1H"; // whole hours can be played back over any range
export const EVENTS = [
  "DEPLOYMENT_FAILED",
  "DEPLOYMENT_SLOW",
  "BUILD_FAILED",
  "FUNCTION_FAILED",
  "ERROR_NEW",
  "ERROR_REGRESSED",
  "ERROR_CRITICAL",
  "ERROR_REACHED",
  "ERROR_SPREAD",
] as const;
export const BASELINES = ["BEFORE", "DAY_EARLIER", "WEEK_EARLIER"] as const;
export const SEVERITIES = ["INFO", "WARNING", "CRITICAL"] as const;
export const COUNTED: readonly string[] = ["ERROR_REACHED", "ERROR_SPREAD"];
export const SLOW = "DEPLOYMENT_SLOW";

/** All of a trigger that the form can show. */
export const WHOLE_TRIGGER = graphql(`
  fragment WholeTrigger on AlertTrigger {
    watch {
      measure window for keepFiring groupBy
      comparison { threshold { operator bound } change { operator factor baseline baselineLength } absence }
      guard { kind minSample significant }
      filter { dimension names }
    }
    event { kind count after keepFiring filter { dimension names } }
  }
`);


/** How a bound is typed: rates as percentages, durations in seconds. */
export function scaleOf({ unit }: Measure): { factor: number; text: string } {
  if (unit === "FRACTION") return { factor: 0.01, text: "%" };
  if (unit === "MILLISECONDS") return { factor: 1_000, text: "seconds" };
  return { factor: 1, text: lower(unit) };
}

export function operatorOf(view: View): AlertOperator {
  return (view.value("operator") in OPERATORS ? view.value("operator") : "ABOVE") as AlertOperator;
}

/** The bound as it is typed: by default 10 of the measure's unit, or half as much again as before. */
export function boundOf(view: View): string {
  return view.value("bound") || (BASELINES.some((one) => one === view.value("than").toUpperCase()) ? "150" : "10");
}

export function severityOf(view: View): AlertSeverity {
  return SEVERITIES.find((one) => one.toLowerCase() === view.value("severity")) ?? "WARNING";
}

export function eventOf(view: View): (typeof EVENTS)[number] | null {
  return EVENTS.find((one) => one === view.value("event").toUpperCase()) ?? null;
}

export function groupsOf(view: View, measure: Measure): Dimension[] {
  const chosen = view.values("by").map((one) => one.toUpperCase());
  return measure.dimensions.filter((one) => chosen.includes(one));
}

/** The trigger that the address describes. */
export function triggerOf(view: View, measure: Measure): AlertTriggerInput {
  const event = eventOf(view);
  const keepFiring = view.value("keep") || null;
  if (event !== null) {
    const { projects: _own, ...places } = view.filter as MetricFilter;
    return {
      event: {
        kind: event,
        filter: filled({ ...places, ...moreOf(view) }),
        count: COUNTED.includes(event) ? Number(view.value("count") || 3) : null,
        after: event === SLOW ? view.value("after") || "PT10M" : null,
        keepFiring,
      },
    };
  }
  return {
    watch: {
      measure: measure.measure,
      window: view.value("window") || USUAL_WINDOW,
      for: view.value("for") || null,
      keepFiring,
      comparison: comparisonOf(view, measure),
      guard: guardOf(view),
      filter: filled({ ...metricFilterOf(view, measure), projects: null, ...moreOf(view) }),
      groupBy: groupsOf(view, measure),
    },
  };
}

type WatchInput = NonNullable<AlertTriggerInput["watch"]>;

function comparisonOf(view: View, measure: Measure): WatchInput["comparison"] {
  const than = view.value("than").toUpperCase();
  const [operator, typed] = [operatorOf(view), Number(boundOf(view))];
  const bound = Number.isFinite(typed) ? typed : 0;
  const baseline = BASELINES.find((one) => one === than);
  if (than === "ABSENCE") return { absence: true };
  if (baseline) return { change: { operator, factor: bound / 100, baseline, baselineLength: view.value("baseline") || null } };
  return { threshold: { operator, bound: bound * scaleOf(measure).factor } };
}

function guardOf(view: View): WatchInput["guard"] {
  const least = Number(view.value("least"));
  switch (view.value("guard")) {
    case "literal":
      return { literal: true };
    case "sample":
      return { minSample: least || 10 };
    case "significant":
      return { significant: least || 0.01 };
    default:
      return null;
  }
}

/** The filters that the page's filters do not have, such as functions; they come from an alert or a preset. */
export function moreOf(view: View): MetricFilter {
  try {
    const more: unknown = JSON.parse(view.value("more") || "{}");
    return more !== null && typeof more === "object" && !Array.isArray(more) ? (more as MetricFilter) : {};
  } catch {
    return {};
  }
}

function filled(filter: MetricFilter): MetricFilter | null {
  const given = Object.entries(filter).filter(([, names]) => names);
  return given.length === 0 ? null : (Object.fromEntries(given) as MetricFilter);
}

/** The parameters that describe a trigger; `triggerOf` makes it of them again. */
export function addressOf(trigger: WholeTriggerFragment, severity: AlertSeverity, all: Measure[]): Change {
  const { watch, event } = trigger;
  const common = { severity: severity.toLowerCase(), keep: (watch ?? event)?.keepFiring ?? null };
  if (event) {
    const count = event.count === null ? null : String(event.count);
    return { ...common, ...filterAddress(event.filter), event: event.kind.toLowerCase(), count, after: event.after };
  }
  if (!watch) return common;
  const measure = all.find((one) => one.measure === watch.measure) ?? null;
  const { threshold, change, absence } = watch.comparison;
  return {
    ...common,
    ...filterAddress(watch.filter, (one) => measure === null || measure.dimensions.some((other) => other.toLowerCase() === one)),
    measure: watch.measure,
    window: watch.window,
    for: watch.for,
    by: watch.groupBy.map((one) => one.toLowerCase()),
    than: absence ? "absence" : (change?.baseline.toLowerCase() ?? null),
    baseline: change?.baselineLength ?? null,
    operator: (threshold ?? change)?.operator ?? null,
    bound: boundAddress(threshold?.bound, change?.factor, measure),
    guard: watch.guard === null ? null : GUARDS[watch.guard.kind],
    least: watch.guard === null ? null : String(watch.guard.minSample ?? watch.guard.significant ?? ""),
  };
}

const GUARDS = { LITERAL: "literal", MIN_SAMPLE: "sample", SIGNIFICANT: "significant" } as const;

function boundAddress(bound: number | undefined, factor: number | undefined, measure: Measure | null): string | null {
  if (factor !== undefined) return tidy(factor * 100);
  return bound === undefined ? null : tidy(bound / (measure ? scaleOf(measure).factor : 1));
}

/** Without the digits that a multiplication by 100 adds, such as 15.000000000000002. */
function tidy(value: number): string {
  return String(Number(value.toPrecision(12)));
}
