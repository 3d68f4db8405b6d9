// How many deployments took how long.
import { type DeploymentTimesFragment, graphql } from "../../../generated/graphql";
import { Histogram } from "../charts/histogram";
import { type Data, Empty, panel } from "./panel";

const fragment = graphql(`
  fragment DeploymentTimes on Query {
    deploymentStats(filter: $filter, range: $range, timeZone: $zone) {
      durationP50Ms durationP95Ms durationP99Ms
      distribution { fromMs toMs count }
    }
  }
`);

export const deploymentTimes = panel({
  name: "deployment-times",
  title: "How long deployments took",
  columns: 4,
  fragment,
  roots: ["deploymentStats"],
  View: DeploymentTimes,
});

function DeploymentTimes({ data: { deploymentStats } }: { data: Data<DeploymentTimesFragment, "deploymentStats"> }) {
  const ranges = deploymentStats.distribution ?? [];
  if (ranges.length === 0) return <Empty>No deployment of this time has a known duration.</Empty>;
  return <Histogram label="Deployments by duration" ranges={ranges} {...deploymentStats} />;
}
