// Functions, builds and API calls: a second row of figures, each with its change.
import { type ActivityFragment, graphql } from "../../../generated/graphql";
import { count, duration, exact, percent } from "../format/numbers";
import { LeftOut } from "../parts/left-out";
import { type CardOf, Cards } from "../parts/metrics-card";
import { panel } from "./panel";

const fragment = graphql(`
  fragment Activity on Query {
    functionStats(filter: $functionFilter, range: $range, timeZone: $zone) {
      invocations errors errorRate
      previous(compare: $compare) { invocations errorRate }
      series { invocations errorRate }
    }
    buildStats(filter: $buildFilter, range: $range, timeZone: $zone) {
      attempts averageDurationMs
      previous(compare: $compare) { attempts averageDurationMs }
      series { attempts averageDurationMs }
    }
    apiStats(filter: $apiFilter, range: $range, timeZone: $zone) {
      calls averageDurationMs
      previous(compare: $compare) { calls averageDurationMs }
      series { calls averageDurationMs }
    }
  }
`);

export const activity = panel({
  name: "activity",
  title: "Functions, builds and API calls",
  columns: 12,
  height: 134,
  isBare: true,
  fragment,
  roots: [],
  View: ({ data: { functionStats, buildStats, apiStats }, view }) => (
    <>
      <LeftOut things="Functions and API calls" lack={["network", "template"]} view={view} />
      <LeftOut things="Builds" lack={["network"]} view={view} />
      <div className="cards">
        <Cards cards={FUNCTIONS} stats={functionStats} view={view} />
        <Cards cards={BUILDS} stats={buildStats} view={view} />
        <Cards cards={API} stats={apiStats} view={view} />
      </div>
    </>
  ),
});

const FUNCTIONS: CardOf<NonNullable<ActivityFragment["functionStats"]>>[] = [
  { name: "Function invocations", of: ({ invocations }) => invocations, format: count, tone: "info" },
  {
    name: "Function error rate",
    of: ({ invocations, errorRate }) => (invocations > 0 ? errorRate : null), // 0 of nothing is no rate
    format: percent,
    exactly: ({ errors, invocations }) => `${exact(errors)} of ${exact(invocations)} invocations`,
    better: "down",
    tone: "bad",
  },
];

const BUILDS: CardOf<NonNullable<ActivityFragment["buildStats"]>>[] = [
  { name: "Builds", of: ({ attempts }) => attempts, format: count, tone: "info" },
  { name: "Mean build time", of: ({ averageDurationMs }) => averageDurationMs, format: duration, better: "down", tone: "line" },
];

const API: CardOf<NonNullable<ActivityFragment["apiStats"]>>[] = [
  { name: "API calls", of: ({ calls }) => calls, format: count, tone: "info" },
  { name: "Mean API time", of: ({ averageDurationMs }) => averageDurationMs, format: duration, better: "down", tone: "line" },
];
