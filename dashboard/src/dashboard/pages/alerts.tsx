// The alerts: which fire, what each watches, and what happened in the range.
import { type AlertsQuery, graphql } from "../../../generated/graphql";
import { Link } from "../address/link";
import { useView } from "../address/view";
import { withFragments } from "../api/ask";
import { useAnalytics } from "../api/use-analytics";
import { ALERT, HEALTH, SEVERITY } from "../format/words";
import { Empty } from "../panels/panel";
import { useMayDecide } from "../parts/acting";
import { AlertTabs } from "../parts/alert-tabs";
import { Badge } from "../parts/badge";
import { FilterBar, useNames } from "../parts/filter-bar";
import { Heading } from "../parts/heading";
import { PagedTable } from "../parts/paged-table";
import { pageOf } from "../parts/pager";
import { Search } from "../parts/search";
import { Section } from "../parts/section";
import type { Column } from "../parts/table";
import { ManyTabs, statusesOf, tabsOf } from "../parts/tabs";
import { Transitions } from "../parts/transitions";
import { TRIGGER_TEXT, TriggerText } from "../parts/trigger";

const QUERY = graphql(`
  query Alerts(
    $filter: AlertFilter, $firing: AlertFilter, $events: AlertEventFilter, $range: TimeRange!, $zone: TimeZone!
    $search: String, $first: Int, $after: String, $last: Int, $before: String
  ) {
    firing: alerts(filter: $firing, first: 1) { totalCount }
    alerts(filter: $filter, search: $search, first: $first, after: $after, last: $last, before: $before) {
      totalCount isEstimate
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
      nodes {
        id name state health problem firing severity enabled channels changedAt
        project { slug }
        trigger { ...TriggerText }
      }
    }
    alertEvents(filter: $events, range: $range, timeZone: $zone, first: 15) {
      nodes {
        id transition at by
        labels { value }
        alert { id name }
        evidence { reason deployment { deploymentId release } }
      }
    }
  }
`);

const CHANGED = graphql(`
  subscription AlertsChanged {
    alertChanged { alert { id } }
  }
`);

const PAGE_SIZE = 25;

export default function AlertManager() {
  const view = useView();
  const { range, zone } = view;
  const events = view.value("project") === "" ? {} : { projects: view.values("project") };
  const states = statusesOf(view, ALERT);
  const search = view.value("search") || null;
  const variables = { filter: { ...events, states }, firing: { ...events, states: ["FIRING" as const] }, events, range, zone, search, ...pageOf(view, PAGE_SIZE) };
  const answer = useAnalytics(withFragments(QUERY, TRIGGER_TEXT), variables, [{ text: CHANGED, variables: {} }]);
  const { alerts, alertEvents, firing } = answer.data ?? {};
  const tabs = tabsOf(ALERT, { FIRING: firing?.totalCount, PENDING: undefined, INACTIVE: undefined });
  const mayDecide = useMayDecide();
  const empty = states || search ? "No alert is like that." : (
    <>
      There is no alert yet.{" "}
      {mayDecide && (
        <>
          <Link href={view.link("/alerts/new")}>Make one</Link>, or start from a chart of the{" "}
          <Link href={view.link("/explorer")}>explorer</Link>.
        </>
      )}
    </>
  );
  return (
    <>
      <Heading title="Alerts" answer={answer} zone={zone}>
        {mayDecide && <Link href={view.link("/alerts/new")}>New alert</Link>}
      </Heading>
      <div className="filters">
        <AlertTabs view={view} />
      </div>
      <FilterBar view={view} names={useNames(view, "DEPLOYMENT_ATTEMPTS", ["project"])} only={["project"]} />
      <div className="filters">
        <ManyTabs
          label="State"
          chosen={(states ?? []).map((state) => state.toLowerCase())}
          tabs={[...tabs, { value: "", label: "All" }]}
          onChoose={(values) => view.change({ status: values, before: null })}
        />
        <Search view={view} label="Search names" />
      </div>
      <div className={`panels ${answer.isStale ? "stale" : ""}`}>
        <section className="panel" aria-label="List">
          <PagedTable
            label="Alerts"
            noun="alert"
            answer={answer}
            list={alerts}
            columns={COLUMNS}
            keyOf={({ id }) => id}
            view={view}
            empty={empty}
            kept={["status", "search"]}
          />
        </section>
        <Section title="What happened in the range" name="history">
          {alertEvents?.nodes.length === 0 && <Empty>Nothing.</Empty>}
          <Transitions events={alertEvents?.nodes ?? []} view={view} />
        </Section>
      </div>
    </>
  );
}

type Row = NonNullable<AlertsQuery["alerts"]>["nodes"][number];

const COLUMNS: Column<Row>[] = [
  {
    title: "Alert",
    cell: (alert, view) => (
      <>
        <Link href={view.link(`/alerts/${encodeURIComponent(alert.id)}`)}>{alert.name}</Link>
        <span className="sub">
          <TriggerText alert={alert} />
        </span>
      </>
    ),
  },
  {
    title: "State",
    cell: ({ enabled, state, firing, health }) => (
      <>
        <Badge word={enabled ? ALERT[state] : { text: "Off", tone: "quiet" }} />
        {firing > 1 && <span className="sub"> {firing} of its groups</span>}
        {health !== "OK" && <Badge word={HEALTH[health]} />}
      </>
    ),
  },
  { title: "Severity", cell: ({ severity }) => <Badge word={SEVERITY[severity]} /> },
  { title: "Project", cell: ({ project }) => project?.slug ?? "all" },
  { title: "Told to", cell: ({ channels }) => channels.join(", ") },
];
