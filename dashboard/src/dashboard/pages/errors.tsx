// The list of errors, with their filters.
import { type ErrorOrderField, type ErrorStatus, type ErrorsQuery, graphql } from "../../../generated/graphql";
import { Link } from "../address/link";
import { useView, type View } from "../address/view";
import { withFragments } from "../api/ask";
import { useAnalytics } from "../api/use-analytics";
import { Spark } from "../charts/spark";
import { count, counted, exact } from "../format/numbers";
import { ERROR, lower } from "../format/words";
import { Empty, Loading } from "../panels/panel";
import { Badge } from "../parts/badge";
import { FILTER_NAMES, FilterBar } from "../parts/filter-bar";
import { Heading } from "../parts/heading";
import { Pager, pageOf } from "../parts/pager";
import { Search } from "../parts/search";
import { Tabs } from "../parts/tabs";
import { Ago } from "../parts/time";

const LIST = graphql(`
  query Errors(
    $filter: ErrorFilter, $range: TimeRange!, $zone: TimeZone!, $statuses: [ErrorStatus!], $search: String
    $orderBy: ErrorOrder, $first: Int, $after: String, $last: Int, $before: String
  ) {
    errorStats(filter: $filter, range: $range, timeZone: $zone) { occurrences freshness { asOf complete } }
    errors(
      filter: $filter, range: $range, timeZone: $zone, statuses: $statuses, search: $search
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
    ...FilterNames
  }
`);
const QUERY = withFragments(LIST, FILTER_NAMES);

const CHANGED = graphql(`
  subscription ErrorsChanged {
    errorChanged { error { id } }
  }
`);

const PAGE_SIZE = 25;
const ORDERS: Record<string, { label: string; field: ErrorOrderField }> = {
  "": { label: "last seen first", field: "LAST_SEEN" },
  newest: { label: "newest first", field: "FIRST_SEEN" },
  frequent: { label: "most frequent first", field: "OCCURRENCES" },
  users: { label: "most users first", field: "USERS" },
};
const STATUSES: Record<string, ErrorStatus[] | null> = {
  "": ["OPEN"],
  resolved: ["RESOLVED"],
  ignored: ["IGNORED"],
  all: null,
};

export default function ErrorTracker() {
  const view = useView();
  const { errorFilter: filter, range, zone } = view;
  const status = view.value("status") in STATUSES ? view.value("status") : "";
  const variables = {
    filter,
    range,
    zone,
    statuses: STATUSES[status] ?? null,
    search: view.value("search") || null,
    orderBy: { field: ORDERS[view.value("sort")]?.field ?? "LAST_SEEN" },
    ...pageOf(view, PAGE_SIZE),
  };
  const answer = useAnalytics(QUERY, variables, [{ text: CHANGED, variables: {} }]);
  const list = answer.data?.errors;
  return (
    <>
      <Heading title="Errors" answer={answer} freshness={answer.data?.errorStats?.freshness} zone={zone} />
      <FilterBar view={view} names={answer.data?.names} />
      <div className="filters">
        <Tabs
          label="Status"
          chosen={status}
          onChoose={(value) => view.change({ status: value, before: null })}
          tabs={[
            { value: "", label: "Open" },
            { value: "resolved", label: "Resolved" },
            { value: "ignored", label: "Ignored" },
            { value: "all", label: "All" },
          ]}
        />
        <Search view={view} label="Search messages and frames" />
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
          {list?.nodes.length === 0 && <Empty>No error is like that. Try a longer range or fewer filters.</Empty>}
          {list && list.nodes.length > 0 && <ErrorTable rows={list.nodes} view={view} />}
          {list && <Pager page={list} view={view} kept={["status", "search", "sort"]} noun="error" />}
        </section>
      </div>
    </>
  );
}

type Row = NonNullable<ErrorsQuery["errors"]>["nodes"][number];

function ErrorTable({ rows, view }: { rows: Row[]; view: View }) {
  return (
    <div className="table-holder" tabIndex={0} role="region" aria-label="Errors">
      <table>
        <thead>
          <tr>
            <th scope="col">Error</th>
            <th scope="col">Status</th>
            <th scope="col">In the range</th>
            <th scope="col" className="number">
              Times
            </th>
            <th scope="col" className="number">
              Users
            </th>
            <th scope="col" className="number">
              First seen
            </th>
            <th scope="col" className="number">
              Last seen
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.id}>
              <th scope="row" className="title">
                <Link href={view.link(`/errors/${encodeURIComponent(row.id)}`)}>{row.title}</Link>
                <span className="sub">
                  {[row.project.slug, lower(row.severity), row.culprit].filter(Boolean).join(" · ")}
                </span>
              </th>
              <td>
                <Badge word={ERROR[row.status]} />
                {row.regressions > 0 && <span className="sub"> came back {counted(row.regressions, "time")}</span>}
                {row.assignee && <span className="sub"> {row.assignee.subject}</span>}
              </td>
              <td>
                <Spark values={(row.series ?? []).map(({ occurrences }) => occurrences)} tone="bad" kind="bar" />
              </td>
              <td className="number" title={exact(row.occurrencesInRange)}>
                {count(row.occurrencesInRange)}
              </td>
              <td className="number">{count(row.affectedUsers)}</td>
              <td className="number">
                <Ago at={row.firstSeen} zone={view.zone} />
              </td>
              <td className="number">
                <Ago at={row.lastSeen} zone={view.zone} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
