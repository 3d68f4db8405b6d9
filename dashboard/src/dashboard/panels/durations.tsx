// How long deployments took.
import { type DurationsFragment, graphql } from "../../../generated/graphql";
import type { View } from "../address/view";
import { TimesChart } from "../charts/times";
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
  height: 210,
  fragment,
  roots: ["deploymentStats"],
  View: Durations,
});

function Durations({ data, view }: { data: Data<DurationsFragment, "deploymentStats">; view: View }) {
  const points = data.deploymentStats.series ?? [];
  if (points.every(({ durationP50Ms }) => durationP50Ms === null)) {
    return <Empty>No deployment of this time has a known duration.</Empty>;
  }
  return <TimesChart label="Duration" points={points} view={view} />;
}
