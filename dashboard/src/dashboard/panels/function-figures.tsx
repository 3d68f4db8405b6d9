// The figures of all functions together.
import { type FunctionFiguresFragment, graphql } from "../../../generated/graphql";
import { count, duration, rate } from "../format/numbers";
import { type CardOf, Cards } from "../parts/metrics-card";
import { panel } from "./panel";

const fragment = graphql(`
  fragment FunctionFigures on Query {
    functionStats(filter: $functionFilter, range: $range, timeZone: $zone) {
      invocations invocationsPerHour averageDurationMs
      previous(compare: $compare) { invocations invocationsPerHour averageDurationMs }
      series { invocations invocationsPerHour averageDurationMs }
    }
  }
`);

export const functionFigures = panel({
  name: "function-figures",
  title: "All functions",
  columns: 12,
  height: 134,
  isBare: true,
  fragment,
  roots: ["functionStats"],
  View: ({ data: { functionStats }, view }) => (
    <div className="cards">
      <Cards cards={CARDS} stats={functionStats} view={view} />
    </div>
  ),
});

const HOURS_A_DAY = 24;

const CARDS: CardOf<NonNullable<FunctionFiguresFragment["functionStats"]>>[] = [
  { name: "All invocations", of: ({ invocations }) => invocations, format: count, tone: "info" },
  { name: "An hour", of: ({ invocationsPerHour }) => invocationsPerHour, format: rate, tone: "info" },
  { name: "A day", of: ({ invocationsPerHour }) => HOURS_A_DAY * invocationsPerHour, format: rate, tone: "info" },
  { name: "Mean duration", of: ({ averageDurationMs }) => averageDurationMs, format: duration, better: "down", tone: "line" },
];
