// The overview: one request for all of its panels.
import { graphql, type Text } from "../../../generated/graphql";
import { useView, type View } from "../address/view";
import { type Signal, useAnalytics } from "../api/use-analytics";
import { Panels } from "../panels/panel";
import { queryOf, variablesOf } from "../panels/query";
import { OVERVIEW } from "../panels/registry";
import { FILTER_NAMES, FilterBar, type Names } from "../parts/filter-bar";
import { Elsewhere } from "../parts/elsewhere";
import { type Fresh, Heading } from "../parts/heading";

const QUERY = queryOf("Overview", [...OVERVIEW.map(({ fragment }) => fragment), FILTER_NAMES]) as Text<Overview, object>;

type Overview = Record<string, unknown> & { names?: Names; deploymentStats?: { attempts: number; freshness: Fresh } | null };

export const DEPLOYMENTS_CHANGED = graphql(`
  subscription DeploymentsChanged($filter: DeploymentFilter, $range: TimeRange, $zone: TimeZone!) {
    deploymentStatsChanged(filter: $filter, range: $range, timeZone: $zone) {
      attempts queued inProgress succeeded failed cancelled rolledBack
    }
  }
`);

const ERRORS_COUNTED = graphql(`
  subscription ErrorsCounted($filter: ErrorFilter, $range: TimeRange, $zone: TimeZone!) {
    errorStatsChanged(filter: $filter, range: $range, timeZone: $zone) { occurrences }
  }
`);

export default function OverviewPage() {
  const view = useView();
  const { zone } = view;
  const answer = useAnalytics(QUERY, variablesOf(QUERY, view), signalsOf(view));
  return (
    <>
      <Heading title="Overview" answer={answer} freshness={answer.data?.deploymentStats?.freshness} zone={zone} />
      <FilterBar view={view} names={answer.data?.names} hasComparison />
      {answer.data?.deploymentStats?.attempts === 0 && <Elsewhere measure="DEPLOYMENT_ATTEMPTS" filter={view.filter} view={view} />}
      <Panels panels={OVERVIEW} answer={answer} view={view} />
    </>
  );
}

function signalsOf({ filter, errorFilter, range, zone }: View): Signal[] {
  return [
    { text: DEPLOYMENTS_CHANGED, variables: { filter, range, zone }, of: "deploymentStats" },
    { text: ERRORS_COUNTED, variables: { filter: errorFilter, range, zone }, of: "errorStats" },
  ];
}
