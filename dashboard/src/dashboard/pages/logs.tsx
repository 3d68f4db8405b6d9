// Log lines: how many there are of each level over time, and the lines, newest first, which follow what is written.
import { graphql, type LogLineLevel, type LogsQuery } from "../../../generated/graphql";
import { useView, type View } from "../address/view";
import { useAnalytics } from "../api/use-analytics";
import { ChartComponent } from "../charts/chart";
import { count } from "../format/numbers";
import { LEVEL } from "../format/words";
import { Empty } from "../panels/panel";
import { Elsewhere } from "../parts/elsewhere";
import { FilterBar } from "../parts/filter-bar";
import { Heading } from "../parts/heading";
import { LogLine } from "../parts/log-line";
import { ManyChoice } from "../parts/many-choice";
import { Pager, pageOf } from "../parts/pager";
import { Search } from "../parts/search";
import { Section } from "../parts/section";
import { ManyTabs } from "../parts/tabs";
import { Waiting } from "../parts/waiting";

import "../design/logs.css";

const QUERY = graphql(`
  query Logs(
    $filter: LogFilter, $range: TimeRange!, $zone: TimeZone!, $levels: [LogLineLevel!]
    $search: String, $deployment: ID, $trace: String, $line: ID!, $hasLine: Boolean!
    $first: Int, $after: String, $last: Int, $before: String
  ) {
    logStats(filter: $filter, range: $range, timeZone: $zone) {
      lines traceLines debugLines infoLines warnLines errorLines fatalLines
      freshness { asOf complete }
      series { start end open traceLines debugLines infoLines warnLines errorLines fatalLines }
      byProject(first: 100) { name }
      byEnvironment(first: 20) { name }
      byLogger(first: 100) { name }
      byFunction(first: 100) { name }
    }
    logLines(
      filter: $filter, range: $range, timeZone: $zone, levels: $levels, search: $search, deployment: $deployment
      traceId: $trace, first: $first, after: $after, last: $last, before: $before
    ) {
      totalCount isEstimate
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
      nodes { id occurredAt level logger message project { slug } }
    }
    line: node(id: $line) @include(if: $hasLine) {
      ... on LogLine {
        id occurredAt level logger message fields traceId spanId release
        project { slug }
        environment { name }
        function { name }
        deployment { deploymentId release }
      }
    }
  }
`);
const CHANGED = graphql(`
  subscription LogsChanged($filter: LogFilter, $range: TimeRange) {
    logStatsChanged(filter: $filter, range: $range) { lines }
  }
`);

const PAGE_SIZE = 50;
const LEVELS: LogLineLevel[] = ["FATAL", "ERROR", "WARN", "INFO", "DEBUG", "TRACE"];
/** The parameters of the address that the pages of the list keep. */
const KEPT = ["level", "search", "logger", "function", "deployment", "trace", "follow"];

type Stats = NonNullable<LogsQuery["logStats"]>;

export default function LogsPage() {
  const view = useView();
  const { range, zone } = view;
  const filter = filterOf(view);
  const levels = LEVELS.filter((level) => view.values("level").includes(level.toLowerCase()));
  const [line, deployment, trace] = ["line", "deployment", "trace"].map((name) => view.value(name));
  const variables = {
    filter,
    range,
    zone,
    levels: levels.length > 0 ? levels : null,
    search: view.value("search") || null,
    deployment: deployment || null,
    trace: trace || null,
    line: line ?? "",
    hasLine: line !== "",
    ...pageOf(view, PAGE_SIZE),
  };
  const isFollowing = view.value("follow") !== "no";
  const signal = { text: CHANGED, variables: { filter, range }, of: "logStats" };
  const answer = useAnalytics(QUERY, variables, isFollowing ? [signal] : []);
  const stats = answer.data?.logStats;
  return (
    <>
      <Heading title="Logs" answer={answer} freshness={stats?.freshness} zone={zone}>
        <button type="button" aria-pressed={isFollowing} onClick={() => view.change({ follow: isFollowing ? "no" : null, after: view.value("after") })}>
          {isFollowing ? "Pause" : "Follow new lines"}
        </button>
      </Heading>
      <LogFilters view={view} stats={stats} />
      <div className="filters">
        <ManyTabs
          label="Level"
          chosen={levels}
          tabs={[{ value: "", label: "All", count: stats?.lines }, ...LEVELS.map((level) => ({ value: level, label: LEVEL[level].text, count: stats?.[fieldOf(level)] }))]}
          onChoose={(values) => view.change({ level: values.map((value) => value.toLowerCase()), before: null })}
        />
        <Search view={view} label="Search texts, fields and ids" />
      </div>
      {stats?.lines === 0 && <Elsewhere measure="LOG_LINES" filter={filter} view={view} />}
      <div className={`panels ${answer.isStale ? "stale" : ""}`}>
        {stats && (
          <Section title="Lines by level" name="levels">
            <LevelChart stats={stats} levels={levels} view={view} />
          </Section>
        )}
        <Section title="Lines, newest first" name="lines">
          <Waiting answer={answer} />
          {answer.data?.logLines?.nodes.length === 0 && <Empty>No line is like that. Try a longer range or fewer filters.</Empty>}
          {answer.data?.logLines && <Lines page={answer.data.logLines} opened={openedOf(answer.data.line)} view={view} />}
        </Section>
      </div>
    </>
  );
}

function filterOf(view: View) {
  const names = { projects: "project", environments: "environment", loggers: "logger", functions: "function" };
  return Object.fromEntries(Object.entries(names).flatMap(([field, name]) => (view.values(name).length > 0 ? [[field, view.values(name)]] : [])));
}

/** `FATAL` as `fatalLines`. */
function fieldOf(level: LogLineLevel) {
  return `${level.toLowerCase() as Lowercase<LogLineLevel>}Lines` as const;
}

function LogFilters({ view, stats }: { view: View; stats: Stats | null | undefined }) {
  const names = { byProject: stats?.byProject ?? [], byEnvironment: stats?.byEnvironment ?? [], byNetwork: [], byTemplate: [] };
  const more = [
    { name: "logger", groups: stats?.byLogger },
    { name: "function", groups: stats?.byFunction },
  ];
  return (
    <FilterBar view={view} names={names} only={["project", "environment"]} also={["logger", "function", "deployment", "trace"]}>
        {more.map(({ name, groups }) => (
          <ManyChoice key={name} label={name} chosen={view.values(name)} options={(groups ?? []).flatMap((group) => group.name ?? [])} onChange={(chosen) => view.change({ [name]: chosen, before: null })} />
        ))}
        {["deployment", "trace"].map(
          (name) =>
            view.value(name) !== "" && (
              <button key={name} type="button" className="quiet" onClick={() => view.change({ [name]: null, before: null })}>
                Only one {name} ✕<span className="hidden">, show all</span>
              </button>
            ),
        )}
    </FilterBar>
  );
}

function LevelChart({ stats, levels, view }: { stats: Stats; levels: LogLineLevel[]; view: View }) {
  const points = stats.series ?? [];
  const series = (levels.length > 0 ? levels : LEVELS).map((level) => ({
    name: LEVEL[level].text,
    tone: LEVEL[level].series,
    kind: "bar" as const,
    values: points.map((point) => point[fieldOf(level)]),
  }));
  if (series.every(({ values }) => values.every((value) => value === 0))) return <Empty>Nothing was written in this time.</Empty>;
  const isNarrower = ["search", "deployment", "trace"].some((name) => view.value(name) !== "");
  return (
    <>
      <ChartComponent label="Log lines by level" buckets={points} series={series} zone={view.zone} format={count} height={140} />
      {isNarrower && <p className="sub">The chart and the figures count all lines, whatever is searched for below.</p>}
    </>
  );
}

type Lines = NonNullable<LogsQuery["logLines"]>;
type Opened = Exclude<NonNullable<LogsQuery["line"]>, Record<PropertyKey, never>>;

function openedOf(node: LogsQuery["line"]): Opened | null {
  return node && "level" in node ? (node as Opened) : null;
}

function Lines({ page, opened, view }: { page: Lines; opened: Opened | null; view: View }) {
  const isElsewhere = opened !== null && page.nodes.every(({ id }) => id !== opened.id);
  const wanted = view.value("line");
  const open = (id: string) => view.change({ line: id === wanted ? null : id, after: view.value("after") });
  return (
    <>
      {isElsewhere && (
        <ol className="lines" aria-label="The line of the link">
          <LogLine line={opened} opened={opened} view={view} onOpen={open} />
        </ol>
      )}
      <ol className="lines" aria-label="Log lines">
        {page.nodes.map((line) => (
          <LogLine key={line.id} line={line} opened={line.id === wanted ? opened : null} view={view} onOpen={open} />
        ))}
      </ol>
      <Pager page={page} view={view} kept={KEPT} noun="line" />
    </>
  );
}
