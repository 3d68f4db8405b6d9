// What an alert watches, as a sentence.
import { type AlertEventKind, graphql, type TriggerTextFragment } from "../../../generated/graphql";
import { type Measure, useCatalogue, wordsOf } from "../api/catalogue";
import { percent } from "../format/numbers";
import { formatOf } from "../format/units";
import { lower } from "../format/words";

/** What `TriggerText` shows of a trigger. */
export const TRIGGER_TEXT = graphql(`
  fragment TriggerText on AlertTrigger {
    watch {
      measure window for groupBy
      comparison { threshold { operator bound } change { operator factor baseline } absence }
      filter { names }
    }
    event { kind filter { names } }
  }
`);

export const OPERATORS = { ABOVE: ">", AT_LEAST: "≥", BELOW: "<", AT_MOST: "≤" } as const;

export function TriggerText({ alert: { trigger, problem } }: { alert: { trigger: TriggerTextFragment | null; problem: string | null } }) {
  const all = useCatalogue();
  if (!trigger) return <>{problem}</>;
  const { watch, event } = trigger;
  if (event) return <>{[`each ${EVENTS[event.kind]}`, placesOf(event.filter)].filter(Boolean).join(", ")}</>;
  if (!watch) return null;
  const parts = [
    `${wordsOf(watch)} ${comparisonText(watch, all)}`,
    `in ${periodText(watch.window)}`,
    watch.groupBy.length > 0 ? `by ${watch.groupBy.map(lower).join(" and ")}` : "",
    placesOf(watch.filter),
    watch.for ? `for ${periodText(watch.for)}` : "",
  ];
  return <>{parts.filter(Boolean).join(", ")}</>;
}

const EVENTS: Record<AlertEventKind, string> = {
  DEPLOYMENT_FAILED: "failed deployment",
  DEPLOYMENT_SLOW: "slow deployment",
  BUILD_FAILED: "failed build",
  FUNCTION_FAILED: "failed invocation",
  ERROR_NEW: "new error",
  ERROR_REGRESSED: "error that comes back",
  ERROR_CRITICAL: "critical error",
  ERROR_REACHED: "error that occurs often",
  ERROR_SPREAD: "error that spreads",
};

type Watch = NonNullable<TriggerTextFragment["watch"]>;

function comparisonText({ measure, comparison: { threshold, change, absence } }: Watch, all: Measure[]): string {
  const unit = all.find((one) => one.measure === measure)?.unit ?? "COUNT";
  if (threshold) return `${OPERATORS[threshold.operator]} ${formatOf(unit)(threshold.bound)}`;
  if (change) return `${OPERATORS[change.operator]} ${percent(change.factor)} of ${lower(change.baseline)}`;
  return absence ? "is missing" : "";
}

function placesOf(filter: { names: string[] }[]): string {
  return filter.map(({ names }) => names.join(", ")).join("; ");
}

/** `PT10M` as `10 minutes`. */
export function periodText(duration: string): string {
  const match = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/.exec(duration);
  const named = ["day", "hour", "minute", "second"].map((unit, index) => {
    const amount = Number(match?.[index + 1] ?? 0);
    return amount === 0 ? "" : `${amount} ${unit}${amount === 1 ? "" : "s"}`;
  });
  return named.filter(Boolean).join(" ") || duration;
}
