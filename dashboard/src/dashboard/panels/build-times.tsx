// How long builds took, over time.
import { graphql } from "../../../generated/graphql";
import { TimesChart } from "../charts/times";
import { panel } from "./panel";

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
  alert: { measure: "BUILD_DURATION_P95_MS" },
  fragment,
  roots: ["buildStats"],
  View: ({ data, view }) => <TimesChart label="Build time" points={data.buildStats.series} view={view} empty="No build of this time has a known duration." />,
});
