// The explorer: any measure by any dimension, over time.
import { type Dimension as Grouping, graphql, type Measure as MeasureName } from "../../../generated/graphql";
import { Link } from "../address/link";
import { DIMENSIONS, useView, type View } from "../address/view";
import { denominatorOf, type Measure, useCatalogue, wordsOf } from "../api/catalogue";
import { MeasureChoice, metricFilterOf, takes } from "../parts/measure-choice";
import { signalOf } from "../api/signals";
import { useAnalytics } from "../api/use-analytics";
import { changeText, exact, percent } from "../format/numbers";
import { formatOf } from "../format/units";
import { lower } from "../format/words";
import { useMayDecide } from "../parts/acting";
import { QueryLink } from "../parts/actions";
import { Elsewhere } from "../parts/elsewhere";
import { Choice, FilterBar, useNames } from "../parts/filter-bar";
import { Heading } from "../parts/heading";
import { MetricChart, nameOf, type Table, titleOf } from "../parts/metric-chart";
import { KeepPanel } from "../parts/keep-panel";
import { LeftOut } from "../parts/left-out";
import { moreOf } from "../parts/rule-address";
import { Section } from "../parts/section";
import { Table as Rows } from "../parts/table";
import { Waiting } from "../parts/waiting";
import { WithoutMeasures } from "../parts/without-measures";

const QUERY = graphql(`
  query Explore(
    $measures: [Measure!]!, $groupBy: [Dimension!], $filter: MetricFilter
    $range: TimeRange!, $zone: TimeZone!, $compare: Comparison!
  ) {
    metrics(
      measures: $measures, groupBy: $groupBy, filter: $filter
      range: $range, interval: AUTO, timeZone: $zone, compare: $compare, first: 6
    ) {
      buckets { start end open }
      groups { isOthers keys { kind name } }
      columns { measure values totals total previousTotals }
      freshness { asOf complete }
    }
  }
`);

const USUAL: MeasureName = "DEPLOYMENT_ATTEMPTS";

export default function ExplorerPage() {
  const view = useView();
  const all = useCatalogue();
  const measure = all.find((one) => one.measure === view.value("measure")) ?? all.find((one) => one.measure === USUAL);
  if (measure === undefined) return <WithoutMeasures />;
  return <Explorer view={view} all={all} measure={measure} />;
}

function Explorer({ view, all, measure }: { view: View; all: Measure[]; measure: Measure }) {
  const below = denominatorOf(measure, all);
  const by = measure.dimensions.find((one) => one === view.value("by").toUpperCase()) ?? null;
  const { range, zone, compare } = view;
  const variables = {
    measures: [measure, ...(below ? [below] : [])].map((one) => one.measure),
    groupBy: by === null ? null : [by],
    filter: { ...metricFilterOf(view, measure), ...moreOf(view) },
    range,
    zone,
    compare,
  };
  const answer = useAnalytics(QUERY, variables, [signalOf(measure, view)]);
  const table = answer.data?.metrics;
  const mayDecide = useMayDecide();
  const names = useNames(view, measure.measure, DIMENSIONS.filter((one) => takes(measure, one)));
  return (
    <>
      <Heading title="Explorer" answer={answer} freshness={table?.freshness} zone={zone} />
      <div className="filters">
        <MeasureChoice all={all} chosen={measure.measure} onChange={(name) => view.change({ measure: name })} />
        <Choice
          label="by"
          none="in all"
          value={by?.toLowerCase() ?? ""}
          options={measure.dimensions.map((one) => one.toLowerCase())}
          textOf={(name) => `by ${name.replaceAll("_", " ")}`}
          onChange={(name) => view.change({ by: name })}
        />
      </div>
      <FilterBar view={view} names={names} hasComparison />
      <LeftOut things="Events of this kind" lack={DIMENSIONS.filter((one) => !takes(measure, one))} view={view} />
      {table?.columns.every(({ total }) => !total) && <Elsewhere measure={(below ?? measure).measure} filter={variables.filter} view={view} />}
      <div className={`panels ${answer.isStale ? "stale" : ""}`}>
        <Section title={titleOf(measure, by)} name="chart">
          <p className="sub about">
            {measure.description} <code>{measure.formula}</code>
            {measure.errorBound !== null && ` Within ${percent(measure.errorBound)}.`}{" "}
            <QueryLink query={QUERY} variables={variables} label="this chart" />{" "}
            {mayDecide && <Link href={view.link("/alerts/new", { measure: measure.measure, by: by?.toLowerCase() ?? null })}>Alert me on this</Link>}
          </p>
          <Waiting answer={answer} />
          {table && <MetricChart table={table} measure={measure} by={by} zone={zone} />}
          <KeepPanel key={`${measure.measure} ${by}`} view={view} measure={measure} by={by} usualTitle={titleOf(measure, by)} />
        </Section>
        {table && by !== null && table.groups.length > 0 && (
          <Section title="Totals" name="totals">
            <Totals table={table} measure={measure} by={by} comparedWith={view.compareLabel} view={view} />
          </Section>
        )}
      </div>
    </>
  );
}

function Totals({ table, measure, by, comparedWith, view }: { table: Table; measure: Measure; by: Grouping; comparedWith: string; view: View }) {
  const format = formatOf(measure.unit);
  const [column] = table.columns;
  const rows = table.groups.map((group, index) => ({
    name: nameOf(group, by, measure),
    now: column?.totals[index] ?? null,
    before: column?.previousTotals?.[index] ?? null,
  }));
  return (
    <Rows
      label="Total of each group"
      rows={rows}
      keyOf={({ name }) => name}
      view={view}
      columns={[
        { title: lower(by), cell: ({ name }) => name },
        { title: wordsOf(measure), isNumber: true, cell: ({ now }) => format(now), exactly: ({ now }) => exact(now) },
        { title: comparedWith, isNumber: true, cell: ({ before }) => format(before), exactly: ({ before }) => exact(before) },
        { title: "change", isNumber: true, cell: ({ now, before }) => changeText(now, before) },
      ]}
    />
  );
}
