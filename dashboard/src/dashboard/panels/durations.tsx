// How long deployments took; a gap where none finished.
import { type DurationsFragment, graphql } from "../../../generated/graphql";
import type { View } from "../address/view";
import { ChartComponent } from "../charts/chart";
import { ticksOfTime } from "../charts/scale";
import { duration } from "../format/numbers";
import { type Data, Empty, panel } from "./panel";

const fragment = graphql(`
  fragment Durations on Query {
    deploymentStats(filter: $filter, range: $range, timeZone: $zone) {
      series { start end open durationP50Ms durationP95Ms }
    }
  }
`);

export const durations = panel({
  name: "durations",
  title: "Duration",
  columns: 6,
  fragment,
  roots: ["deploymentStats"],
  View: Durations,
});

function Durations({ data, view }: { data: Data<DurationsFragment, "deploymentStats">; view: View }) {
  const points = data.deploymentStats.series ?? [];
  if (points.every(({ durationP50Ms }) => durationP50Ms === null)) {
    return <Empty>No deployment finished in this time.</Empty>;
  }
  const series = [
    { name: "95th percentile", tone: "line-2", kind: "line" as const, values: points.map(({ durationP95Ms }) => durationP95Ms) },
    { name: "Median", tone: "line", kind: "line" as const, values: points.map(({ durationP50Ms }) => durationP50Ms) },
  ];
  return <ChartComponent label="Duration" buckets={points} series={series} zone={view.zone} format={duration} ticks={ticksOfTime} />;
}
