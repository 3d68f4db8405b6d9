// How long builds took, over time.
import { type BuildTimesFragment, graphql } from "../../../generated/graphql";
import type { View } from "../address/view";
import { TimesChart } from "../charts/times";
import { type Data, Empty, panel } from "./panel";

const fragment = graphql(`
  fragment BuildTimes on Query {
    buildStats(filter: $buildFilter, range: $range, timeZone: $zone) {
      series { start end open durationP50Ms durationP95Ms }
    }
  }
`);

export const buildTimes = panel({
  name: "build-times",
  title: "Build time",
  columns: 6,
  fragment,
  roots: ["buildStats"],
  View: BuildTimes,
});

function BuildTimes({ data, view }: { data: Data<BuildTimesFragment, "buildStats">; view: View }) {
  const points = data.buildStats.series ?? [];
  if (points.every(({ durationP50Ms }) => durationP50Ms === null)) return <Empty>No build of this time has a known duration.</Empty>;
  return <TimesChart label="Build time" points={points} view={view} />;
}
