// How many deployments took how long.
import { graphql } from "../../../generated/graphql";
import { Histogram } from "../charts/histogram";
import { panel } from "./panel";

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
  alert: { measure: "DEPLOYMENT_DURATION_P95_MS" },
  fragment,
  roots: ["deploymentStats"],
  View: ({ data }) => <Histogram label="Deployments by duration" stats={data.deploymentStats} empty="No deployment of this time has a known duration." />,
});
