// The figures of all functions together.
import { type FunctionFiguresFragment, graphql } from "../../../generated/graphql";
import type { View } from "../address/view";
import { count, duration, exact, exactDuration, rate } from "../format/numbers";
import { MetricsCard } from "../parts/metrics-card";
import { type Data, panel } from "./panel";

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
  View: FunctionFigures,
});

const HOURS_A_DAY = 24;

function FunctionFigures({ data: { functionStats }, view }: { data: Data<FunctionFiguresFragment, "functionStats">; view: View }) {
  const { invocations, invocationsPerHour, averageDurationMs, previous } = functionStats;
  const points = functionStats.series ?? [];
  const aDay = (perHour: number | undefined) => (perHour === undefined ? null : HOURS_A_DAY * perHour);
  return (
    <div className="cards">
      <MetricsCard
        name="All invocations"
        value={invocations}
        previous={previous?.invocations}
        format={count}
        exactly={exact(invocations)}
        tone="info"
        points={points.map((point) => point.invocations)}
        view={view}
      />
      <MetricsCard
        name="An hour"
        value={invocationsPerHour}
        previous={previous?.invocationsPerHour}
        format={rate}
        exactly={exact(invocationsPerHour)}
        tone="info"
        points={points.map((point) => point.invocationsPerHour)}
        view={view}
      />
      <MetricsCard
        name="A day"
        value={aDay(invocationsPerHour)}
        previous={aDay(previous?.invocationsPerHour)}
        format={rate}
        exactly={exact(aDay(invocationsPerHour))}
        tone="info"
        points={points.map((point) => aDay(point.invocationsPerHour))}
        view={view}
      />
      <MetricsCard
        name="Mean duration"
        value={averageDurationMs}
        previous={previous?.averageDurationMs}
        format={duration}
        exactly={exactDuration(averageDurationMs)}
        better="down"
        tone="line"
        points={points.map((point) => point.averageDurationMs)}
        view={view}
      />
    </div>
  );
}
