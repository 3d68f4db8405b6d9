// The list of deployments, with their filters.
import { graphql } from "../../../generated/graphql";
import { useView } from "../address/view";
import { withFragments } from "../api/ask";
import { useAnalytics } from "../api/use-analytics";
import { DEPLOYMENT } from "../format/words";
import { daily } from "../panels/daily";
import { deploymentTimes } from "../panels/deployment-times";
import { frameworks } from "../panels/frameworks";
import { DEPLOYMENT_COLUMNS, keyOfDeployment } from "../parts/deployment-table";
import { FILTER_NAMES } from "../parts/filter-bar";
import { argumentsOf, ListPage, RUN_ORDERS } from "../parts/list-page";
import { countedTabs, statusesOf } from "../parts/tabs";
import { DEPLOYMENTS_CHANGED } from "./overview";

const LIST = graphql(`
  query Deployments(
    $filter: DeploymentFilter, $range: TimeRange!, $zone: TimeZone!, $daily: Interval!, $statuses: [DeploymentStatus!], $search: String
    $orderBy: DeploymentOrder, $first: Int, $after: String, $last: Int, $before: String
  ) {
    deploymentStats(filter: $filter, range: $range, timeZone: $zone) {
      attempts queued inProgress succeeded failed cancelled rolledBack
      freshness { asOf complete }
    }
    deployments(
      filter: $filter, range: $range, timeZone: $zone, statuses: $statuses, search: $search
      orderBy: $orderBy, first: $first, after: $after, last: $last, before: $before
    ) {
      totalCount isEstimate
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
      nodes { deploymentId externalId status createdAt durationMs release environmentName networkName templateSlug project { slug } }
    }
    ...FilterNames
    ...Daily
    ...DeploymentTimes
    ...Frameworks
  }
`);
const PANELS = [daily, deploymentTimes, frameworks];
const QUERY = withFragments(LIST, FILTER_NAMES, ...PANELS.map(({ fragment }) => fragment));

export default function DeploymentsPage() {
  const view = useView();
  const { filter, range, zone, daily } = view;
  const statuses = statusesOf(view, DEPLOYMENT);
  const variables = { filter, range, zone, daily, statuses, ...argumentsOf(view, RUN_ORDERS) };
  const answer = useAnalytics(QUERY, variables, [
    { text: DEPLOYMENTS_CHANGED, variables: { filter, range, zone }, of: "deploymentStats" },
  ]);
  const stats = answer.data?.deploymentStats;
  return (
    <ListPage
      title="Deployments"
      noun="deployment"
      counted={{ measure: "DEPLOYMENT_ATTEMPTS", filter }}
      view={view}
      answer={answer}
      freshness={stats?.freshness}
      names={answer.data?.names}
      tabs={countedTabs(DEPLOYMENT, stats)}
      statuses={statuses}
      search="Search ids and texts"
      orders={RUN_ORDERS}
      columns={DEPLOYMENT_COLUMNS}
      keyOf={keyOfDeployment}
      list={answer.data?.deployments}
      panels={PANELS}
    />
  );
}
