// The list of deployments, with their filters.
import { type DeploymentOrderField, type DeploymentStatus, graphql } from "../../../generated/graphql";
import { useView, type View } from "../address/view";
import { withFragments } from "../api/ask";
import { useAnalytics } from "../api/use-analytics";
import { DEPLOYMENT } from "../format/words";
import { Empty, Loading } from "../panels/panel";
import { DeploymentTable } from "../parts/deployment-table";
import { FILTER_NAMES, FilterBar } from "../parts/filter-bar";
import { Heading } from "../parts/heading";
import { Pager, pageOf } from "../parts/pager";
import { Search } from "../parts/search";
import { Tabs } from "../parts/tabs";
import { DEPLOYMENTS_CHANGED } from "./overview";

const LIST = graphql(`
  query Deployments(
    $filter: DeploymentFilter, $range: TimeRange!, $zone: TimeZone!, $statuses: [DeploymentStatus!], $search: String
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
  }
`);
const QUERY = withFragments(LIST, FILTER_NAMES);

const PAGE_SIZE = 25;
const ORDERS: Record<string, { label: string; field: DeploymentOrderField }> = {
  "": { label: "newest first", field: "CREATED_AT" },
  slowest: { label: "slowest first", field: "DURATION_MS" },
  finished: { label: "last finished first", field: "FINISHED_AT" },
};

export default function DeploymentsPage() {
  const view = useView();
  const { filter, range, zone } = view;
  const status = statusOf(view);
  const variables = {
    filter,
    range,
    zone,
    statuses: status === null ? null : [status],
    search: view.value("search") || null,
    orderBy: { field: ORDERS[view.value("sort")]?.field ?? "CREATED_AT" },
    ...pageOf(view, PAGE_SIZE),
  };
  const answer = useAnalytics(QUERY, variables, [
    { text: DEPLOYMENTS_CHANGED, variables: { filter, range, zone }, of: "deploymentStats" },
  ]);
  const stats = answer.data?.deploymentStats;
  const list = answer.data?.deployments;
  return (
    <>
      <Heading title="Deployments" answer={answer} freshness={stats?.freshness} zone={zone} />
      <FilterBar view={view} names={answer.data?.names} />
      <div className="filters">
        <Tabs
          label="Status"
          chosen={status ?? ""}
          onChoose={(value) => view.change({ status: value.toLowerCase(), before: null })}
          tabs={[
            { value: "", label: "All", count: stats?.attempts },
            { value: "FAILED", label: DEPLOYMENT.FAILED.text, count: stats?.failed },
            { value: "ROLLED_BACK", label: DEPLOYMENT.ROLLED_BACK.text, count: stats?.rolledBack },
            { value: "SUCCEEDED", label: DEPLOYMENT.SUCCEEDED.text, count: stats?.succeeded },
            { value: "CANCELLED", label: DEPLOYMENT.CANCELLED.text, count: stats?.cancelled },
            { value: "IN_PROGRESS", label: DEPLOYMENT.IN_PROGRESS.text, count: stats?.inProgress },
            { value: "QUEUED", label: DEPLOYMENT.QUEUED.text, count: stats?.queued },
          ]}
        />
        <Search view={view} label="Search ids and texts" />
        <span className="choice">
          <select aria-label="Order" value={view.value("sort")} onChange={(event) => view.change({ sort: event.target.value, before: null })}>
            {Object.entries(ORDERS).map(([name, { label }]) => (
              <option key={name} value={name}>
                {label}
              </option>
            ))}
          </select>
        </span>
      </div>
      <div className={`panels ${answer.isStale ? "stale" : ""}`}>
        <section className="panel" aria-label="List">
          {answer.data === null && answer.problems.length === 0 && answer.unreachable === null && <Loading />}
          {answer.problems.map(({ message }) => (
            <p key={message} className="failed" role="alert">
              {message}
            </p>
          ))}
          {list?.nodes.length === 0 && <Empty>No deployment is like that. Try a longer range or fewer filters.</Empty>}
          {list && list.nodes.length > 0 && <DeploymentTable rows={list.nodes} view={view} />}
          {list && <Pager page={list} view={view} kept={["status", "search", "sort"]} noun="deployment" />}
        </section>
      </div>
    </>
  );
}

function statusOf(view: View): DeploymentStatus | null {
  const name = view.value("status").toUpperCase();
  return name in DEPLOYMENT ? (name as DeploymentStatus) : null;
}
