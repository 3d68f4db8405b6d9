// How the deployments of each bucket ended.
import { graphql } from "../../../generated/graphql";
import { OutcomesChart } from "../charts/outcomes";
import { Empty, panel } from "./panel";

const fragment = graphql(`
  fragment Outcomes on Query {
    deploymentStats(filter: $filter, range: $range, timeZone: $zone) {
      attempts
      series { start end open succeeded failed cancelled rolledBack queued inProgress }
    }
  }
`);

export const outcomes = panel({
  name: "outcomes",
  title: "Deployments by outcome",
  columns: 8,
  height: 250,
  alert: { measure: "DEPLOYMENT_FAILURE_RATE_OF_FINISHES" },
  fragment,
  roots: ["deploymentStats"],
  View({ data, view }) {
    const { attempts, series } = data.deploymentStats;
    if (attempts === 0) return <Empty>Nothing was deployed in this time.</Empty>;
    return <OutcomesChart label="Deployments by outcome" points={series ?? []} view={view} height={220} />;
  },
});
