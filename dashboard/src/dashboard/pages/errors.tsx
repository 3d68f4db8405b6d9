// The list of errors, with their filters.
import { type ErrorOrderField, type ErrorStatus, type ErrorsQuery, graphql } from "../../../generated/graphql";
import { Link } from "../address/link";
import { useView, type View } from "../address/view";
import { withFragments } from "../api/ask";
import { useAnalytics } from "../api/use-analytics";
import { Spark } from "../charts/spark";
import { count, counted, exact } from "../format/numbers";
import { ERROR, lower } from "../format/words";
import { errorKinds } from "../panels/error-kinds";
import { errorTrend } from "../panels/error-trend";
import { topErrors } from "../panels/top-errors";
import { Badge } from "../parts/badge";
import { argumentsOf, ListPage, type Orders } from "../parts/list-page";
import { ManyChoice } from "../parts/many-choice";
import type { Column } from "../parts/table";
import { ManyTabs, statusesOf, tabsOf } from "../parts/tabs";
import { Ago } from "../parts/time";

const LIST = graphql(`
  query Errors(
    $errorFilter: ErrorFilter, $range: TimeRange!, $zone: TimeZone!, $compare: Comparison!, $statuses: [ErrorStatus!], $search: String
    $orderBy: ErrorOrder, $first: Int, $after: String, $last: Int, $before: String
  ) {
    errorStats(filter: $errorFilter, range: $range, timeZone: $zone) { freshness { asOf complete } }
    kinds: errorStats(range: $range, timeZone: $zone) {
      byProject(first: 100) { name }
      byNetwork(first: 20) { name }
      byTemplate(first: 100) { name }
      byEnvironment(first: 20) { name }
      byErrorType(first: 20) { name }
      bySeverity(first: 6) { name occurrences }
    }
    errors(
      filter: $errorFilter, range: $range, timeZone: $zone, statuses: $statuses, search: $search
      orderBy: $orderBy, first: $first, after: $after, last: $last, before: $before
    ) {
      totalCount isEstimate
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
      nodes {
        id title culprit severity status firstSeen lastSeen occurrencesInRange affectedUsers regressions
        project { slug }
        assignee { subject }
        series(range: $range, timeZone: $zone) { occurrences }
      }
    }
    ...ErrorTrend
    ...ErrorKinds
    ...TopErrors
  }
`);
const PANELS = [errorTrend, errorKinds, topErrors];
const QUERY = withFragments(LIST, ...PANELS.map(({ fragment }) => fragment));

const CHANGED = graphql(`
  subscription ErrorsChanged {
    errorChanged { error { id } }
  }
`);

const ORDERS: Orders<ErrorOrderField> = {
  "": { label: "last seen first", field: "LAST_SEEN" },
  newest: { label: "newest first", field: "FIRST_SEEN" },
  frequent: { label: "most frequent first", field: "OCCURRENCES" },
  users: { label: "most users first", field: "USERS" },
};
/** The open ones unless the address says otherwise. */
const USUAL: ErrorStatus[] = ["OPEN"];

export default function ErrorTracker() {
  const view = ofKinds(useView());
  const { errorFilter, range, zone, compare } = view;
  const statuses = statusesOf(view, ERROR, USUAL);
  const variables = { errorFilter, range, zone, compare, statuses, ...argumentsOf(view, ORDERS) };
  const answer = useAnalytics(QUERY, variables, [{ text: CHANGED, variables: {} }]);
  const { byErrorType, bySeverity } = answer.data?.kinds ?? {};
  return (
    <ListPage
      title="Errors"
      noun="error"
      counted={{ measure: "ERROR_OCCURRENCES", filter: errorFilter }}
      view={view}
      answer={answer}
      freshness={answer.data?.errorStats?.freshness}
      names={answer.data?.kinds}
      tabs={[...tabsOf(ERROR), { value: "", label: "All" }]}
      statuses={statuses}
      search="Search messages and frames"
      orders={ORDERS}
      columns={COLUMNS}
      keyOf={({ id }) => id}
      list={answer.data?.errors}
      panels={PANELS}
    >
      <ManyTabs
        label="Severity"
        chosen={view.values("severity")}
        tabs={(bySeverity ?? []).flatMap(({ name, occurrences }) => (name === null ? [] : [{ value: name, label: name, count: occurrences }]))}
        onChoose={(values) => view.change({ severity: values, before: null })}
      />
      <ManyChoice
        label="type"
        chosen={view.values("type")}
        options={(byErrorType ?? []).flatMap(({ name }) => name ?? [])}
        onChange={(values) => view.change({ type: values, before: null })}
      />
    </ListPage>
  );
}

/** The view of those errors whose types and severities the address names. */
function ofKinds(view: View): View {
  const errorFilter = { ...view.errorFilter };
  if (view.value("type") !== "") errorFilter.errorTypes = view.values("type");
  if (view.value("severity") !== "") errorFilter.severities = view.values("severity");
  return { ...view, errorFilter };
}

type Row = NonNullable<ErrorsQuery["errors"]>["nodes"][number];

const COLUMNS: Column<Row>[] = [
  {
    title: "Error",
    cell: ({ id, title, project, severity, culprit }, view) => (
      <>
        <Link href={view.link(`/errors/${encodeURIComponent(id)}`)}>{title}</Link>
        <span className="sub">{[project.slug, lower(severity), culprit].filter(Boolean).join(" · ")}</span>
      </>
    ),
  },
  {
    title: "Status",
    cell: ({ status, regressions, assignee }) => (
      <>
        <Badge word={ERROR[status]} />
        {regressions > 0 && <span className="sub"> came back {counted(regressions, "time")}</span>}
        {assignee && <span className="sub"> {assignee.subject}</span>}
      </>
    ),
  },
  { title: "In the range", cell: ({ series }) => <Spark values={(series ?? []).map(({ occurrences }) => occurrences)} tone="bad" kind="bar" /> },
  { title: "Times", isNumber: true, cell: (row) => count(row.occurrencesInRange), exactly: (row) => exact(row.occurrencesInRange) },
  { title: "Users", isNumber: true, cell: ({ affectedUsers }) => count(affectedUsers) },
  { title: "First seen", isNumber: true, cell: ({ firstSeen }, { zone }) => <Ago at={firstSeen} zone={zone} /> },
  { title: "Last seen", isNumber: true, cell: ({ lastSeen }, { zone }) => <Ago at={lastSeen} zone={zone} /> },
];
