// The list of builds, with how long they and their phases take.
import { type BuildsQuery, graphql } from "../../../generated/graphql";
import { Link } from "../address/link";
import { useView } from "../address/view";
import { withFragments } from "../api/ask";
import { useAnalytics } from "../api/use-analytics";
import { duration, exactDuration } from "../format/numbers";
import { BUILD } from "../format/words";
import { buildTimes } from "../panels/build-times";
import { phases } from "../panels/phases";
import { Badge } from "../parts/badge";
import { argumentsOf, ListPage, RUN_ORDERS } from "../parts/list-page";
import type { Column } from "../parts/table";
import { countedTabs, statusesOf } from "../parts/tabs";
import { Moment } from "../parts/time";

const LIST = graphql(`
  query Builds(
    $buildFilter: BuildFilter, $phaseFilter: BuildPhaseFilter, $range: TimeRange!, $zone: TimeZone!, $statuses: [BuildStatus!], $search: String
    $orderBy: BuildOrder, $first: Int, $after: String, $last: Int, $before: String
  ) {
    names: buildStats(range: $range, timeZone: $zone) {
      byProject(first: 100) { name }
      byTemplate(first: 100) { name }
      byEnvironment(first: 20) { name }
    }
    ...BuildTimes
    ...Phases
    buildStats(filter: $buildFilter, range: $range, timeZone: $zone) {
      attempts queued inProgress succeeded failed cancelled
      freshness { asOf complete }
    }
    builds(
      filter: $buildFilter, range: $range, timeZone: $zone, statuses: $statuses, search: $search
      orderBy: $orderBy, first: $first, after: $after, last: $last, before: $before
    ) {
      totalCount isEstimate
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
      nodes { id buildId externalId status createdAt durationMs branch commit environmentName templateSlug project { slug } }
    }
  }
`);
const PANELS = [buildTimes, phases];
const QUERY = withFragments(LIST, ...PANELS.map(({ fragment }) => fragment));

const CHANGED = graphql(`
  subscription BuildsChanged($filter: BuildFilter, $range: TimeRange, $zone: TimeZone!) {
    buildStatsChanged(filter: $filter, range: $range, timeZone: $zone) { attempts queued inProgress succeeded failed cancelled }
  }
`);

export default function BuildsPage() {
  const view = useView();
  const { buildFilter, phaseFilter, range, zone } = view;
  const statuses = statusesOf(view, BUILD);
  const variables = { buildFilter, phaseFilter, range, zone, statuses, ...argumentsOf(view, RUN_ORDERS) };
  const answer = useAnalytics(QUERY, variables, [{ text: CHANGED, variables: { filter: buildFilter, range, zone }, of: "buildStats" }]);
  const stats = answer.data?.buildStats;
  return (
    <ListPage
      title="Builds"
      noun="build"
      counted={{ measure: "BUILD_ATTEMPTS", filter: buildFilter }}
      view={view}
      answer={answer}
      freshness={stats?.freshness}
      names={answer.data?.names}
      only={["project", "template", "environment"]}
      tabs={countedTabs(BUILD, stats)}
      statuses={statuses}
      search="Search ids and texts"
      orders={RUN_ORDERS}
      columns={COLUMNS}
      keyOf={({ id }) => id}
      list={answer.data?.builds}
      panels={PANELS}
    />
  );
}

type Row = NonNullable<BuildsQuery["builds"]>["nodes"][number];

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
