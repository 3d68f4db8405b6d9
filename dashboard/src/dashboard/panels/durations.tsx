// How long deployments took.
import { graphql } from "../../../generated/graphql";
import { TimesChart } from "../charts/times";
import { panel } from "./panel";

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
  alert: { measure: "DEPLOYMENT_DURATION_P95_MS" },
  fragment,
  roots: ["deploymentStats"],
  View: ({ data, view }) => <TimesChart label="Duration" points={data.deploymentStats.series} view={view} empty="No deployment of this time has a known duration." />,
});
