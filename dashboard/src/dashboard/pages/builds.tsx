// The list of builds, with how long their phases take.
import { type BuildOrderField, type BuildsQuery, graphql } from "../../../generated/graphql";
import { Link } from "../address/link";
import { useView } from "../address/view";
import { withFragments } from "../api/ask";
import { useAnalytics } from "../api/use-analytics";
import { count, duration, exactDuration, percent } from "../format/numbers";
import { BUILD } from "../format/words";
import { Badge } from "../parts/badge";
import { FILTER_NAMES } from "../parts/filter-bar";
import { argumentsOf, ListPage, type Orders } from "../parts/list-page";
import { Section } from "../parts/section";
import { type Column, Table } from "../parts/table";
import { statusesOf, tabsOf } from "../parts/tabs";
import { Moment } from "../parts/time";

const LIST = graphql(`
  query Builds(
    $filter: BuildFilter, $phases: BuildPhaseFilter, $range: TimeRange!, $zone: TimeZone!, $statuses: [BuildStatus!], $search: String
    $orderBy: BuildOrder, $first: Int, $after: String, $last: Int, $before: String
  ) {
    ...FilterNames
    buildStats(filter: $filter, range: $range, timeZone: $zone) {
      attempts queued inProgress succeeded failed cancelled
      freshness { asOf complete }
    }
    buildPhaseStats(filter: $phases, range: $range, timeZone: $zone) {
      byPhase(first: 10) { kind name runs failureRate durationP50Ms durationP95Ms }
    }
    builds(
      filter: $filter, range: $range, timeZone: $zone, statuses: $statuses, search: $search
      orderBy: $orderBy, first: $first, after: $after, last: $last, before: $before
    ) {
      totalCount isEstimate
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
      nodes { id buildId externalId status createdAt durationMs branch commit environmentName templateSlug project { slug } }
    }
  }
`);
const QUERY = withFragments(LIST, FILTER_NAMES);

const CHANGED = graphql(`
  subscription BuildsChanged($filter: BuildFilter, $range: TimeRange, $zone: TimeZone!) {
    buildStatsChanged(filter: $filter, range: $range, timeZone: $zone) { attempts queued inProgress succeeded failed cancelled }
  }
`);

const ORDERS: Orders<BuildOrderField> = {
  "": { label: "newest first", field: "CREATED_AT" },
  slowest: { label: "slowest first", field: "DURATION_MS" },
  finished: { label: "last finished first", field: "FINISHED_AT" },
};

export default function BuildsPage() {
  const view = useView();
  const { buildFilter: filter, range, zone } = view;
  const statuses = statusesOf(view, BUILD);
  const variables = { filter, phases: filter, range, zone, statuses, ...argumentsOf(view, ORDERS) };
  const answer = useAnalytics(QUERY, variables, [{ text: CHANGED, variables: { filter, range, zone }, of: "buildStats" }]);
  const stats = answer.data?.buildStats;
  const phases = (answer.data?.buildPhaseStats?.byPhase ?? []).filter(({ runs }) => runs > 0);
  return (
    <ListPage
      title="Builds"
      noun="build"
      view={view}
      answer={answer}
      freshness={stats?.freshness}
      names={answer.data?.names}
      only={["project", "template", "environment"]}
      tabs={[
        { value: "", label: "All", count: stats?.attempts },
        ...tabsOf(BUILD, {
          FAILED: stats?.failed,
          SUCCEEDED: stats?.succeeded,
          CANCELLED: stats?.cancelled,
          IN_PROGRESS: stats?.inProgress,
          QUEUED: stats?.queued,
        }),
      ]}
      statuses={statuses}
      search="Search ids and texts"
      orders={ORDERS}
      columns={COLUMNS}
      keyOf={({ id }) => id}
      list={answer.data?.builds}
    >
      {phases.length > 0 && (
        <Section title="Where builds spend their time" name="phases">
          <Table label="Phases" columns={PHASES} rows={phases} keyOf={({ kind, name }) => name ?? kind} view={view} />
        </Section>
      )}
    </ListPage>
  );
}

type Row = NonNullable<BuildsQuery["builds"]>["nodes"][number];
type Phase = NonNullable<NonNullable<BuildsQuery["buildPhaseStats"]>["byPhase"]>[number];

const COLUMNS: Column<Row>[] = [
  {
    title: "Build",
    cell: ({ buildId, externalId, branch, commit }, view) => (
      <>
        <Link href={view.link(`/builds/${buildId}`)}>{externalId ?? String(buildId)}</Link>
        <span className="sub">{[branch, commit?.slice(0, 10)].filter(Boolean).join(" · ")}</span>
      </>
    ),
  },
  { title: "Status", cell: ({ status }) => <Badge word={BUILD[status]} /> },
  { title: "Project", cell: ({ project: { slug } }, view) => <Link href={view.link(`/projects/${slug}`)}>{slug}</Link> },
  { title: "Environment", cell: ({ environmentName }) => environmentName },
  { title: "Template", cell: ({ templateSlug }) => templateSlug },
  { title: "Duration", isNumber: true, cell: ({ durationMs }) => duration(durationMs), exactly: ({ durationMs }) => exactDuration(durationMs) },
  { title: "Created", isNumber: true, cell: ({ createdAt }, { zone }) => <Moment at={createdAt} zone={zone} /> },
];

const PHASES: Column<Phase>[] = [
  { title: "Phase", cell: ({ name }) => name ?? "other" },
  { title: "Runs", isNumber: true, cell: ({ runs }) => count(runs) },
  { title: "Failed", isNumber: true, cell: ({ failureRate }) => percent(failureRate) },
  { title: "Median", isNumber: true, cell: (row) => duration(row.durationP50Ms), exactly: (row) => exactDuration(row.durationP50Ms) },
  { title: "95th percentile", isNumber: true, cell: (row) => duration(row.durationP95Ms), exactly: (row) => exactDuration(row.durationP95Ms) },
];
