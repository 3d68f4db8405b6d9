// One network, or one of another kind: its figures beside those before, over time, and split.
import { graphql, type Measure as MeasureName } from "../../../generated/graphql";
import { Link } from "../address/link";
import { DIMENSIONS, useView, type View } from "../address/view";
import { type Measure, useCatalogue, shortWordsOf } from "../api/catalogue";
import { askedFor, figureOf } from "../api/figures";
import { withFragments } from "../api/ask";
import { signalOf } from "../api/signals";
import { useAnalytics } from "../api/use-analytics";
import { ChartComponent } from "../charts/chart";
import { exact } from "../format/numbers";
import { formatOf, ticksOf } from "../format/units";
import { lower } from "../format/words";
import { functionTimes } from "../panels/function-times";
import { Empty, PanelFrame } from "../panels/panel";
import { Elsewhere } from "../parts/elsewhere";
import { FilterBar, useNames } from "../parts/filter-bar";
import { Heading } from "../parts/heading";
import { MetricChart, type Shown, titleOf } from "../parts/metric-chart";
import { MetricsCard } from "../parts/metrics-card";
import { filterAddress } from "../parts/names-address";
import { Running } from "../parts/running";
import { Section } from "../parts/section";
import { Waiting } from "../parts/waiting";
import { type Chart, ENDPOINT, filterOf, FUNCTION, NETWORK, type Subject, TEMPLATE } from "./subjects";
import { WithoutMeasures } from "../parts/without-measures";

const GROUP = graphql(`
  query Group(
    $lead: [Measure!]!, $measures: [Measure!]!, $split: [Dimension!]!, $filter: MetricFilter
    $range: TimeRange!, $zone: TimeZone!, $compare: Comparison!, $functionFilter: FunctionFilter, $isFunction: Boolean!
  ) {
    figures: metrics(measures: $measures, filter: $filter, range: $range, interval: AUTO, timeZone: $zone, compare: $compare) {
      buckets { start end open }
      columns { measure values totals previousTotals }
      freshness { asOf complete }
    }
    split: metrics(measures: $lead, groupBy: $split, filter: $filter, range: $range, interval: AUTO, timeZone: $zone, first: 6) {
      buckets { start end open }
      groups { isOthers keys { kind name } }
      columns { measure values }
    }
    ...FunctionTimes @include(if: $isFunction)
  }
`);
const QUERY = withFragments(GROUP, functionTimes.fragment);

type Props = { id: string };

export const NetworkPage = ({ id }: Props) => <GroupPage subject={NETWORK} name={id} />;
export const TemplatePage = ({ id }: Props) => <GroupPage subject={TEMPLATE} name={id} />;
export const FunctionPage = ({ id }: Props) => <GroupPage subject={FUNCTION} name={id} />;
export const EndpointPage = ({ id }: Props) => <GroupPage subject={ENDPOINT} name={id} />;

function GroupPage({ subject, name }: { subject: Subject; name: string }) {
  const all = useCatalogue();
  const lead = all.find(({ measure }) => measure === subject.measures[0]);
  return lead === undefined ? <WithoutMeasures /> : <Group subject={subject} name={name} all={all} lead={lead} />;
}

type Given = { subject: Subject; name: string; all: Measure[]; lead: Measure };

function Group({ subject, name, all, lead }: Given) {
  const shared = useView();
  const view = { ...shared, functionFilter: { ...shared.functionFilter, functions: [name] } };
  const { range, zone, compare, functionFilter } = view;
  const isFunction = subject === FUNCTION;
  const asked = [...subject.measures, ...subject.charts.flatMap(({ lines }) => lines.map(({ measure }) => measure))];
  const filter = { ...filterOf(subject, view), [subject.filter]: [name] };
  const variables = { lead: [lead.measure], measures: askedFor(asked, all), split: [subject.split], filter, range, zone, compare, functionFilter, isFunction };
  const answer = useAnalytics(QUERY, variables, [signalOf(lead, view)]);
  const { figures, split } = answer.data ?? {};
  return (
    <>
      <Heading title={name} answer={answer} freshness={figures?.freshness} zone={zone}>
        <Links subject={subject} name={name} lead={lead} view={view} />
      </Heading>
      <FilterBar view={view} names={useNames(view, lead.measure, subject.only)} only={subject.only.filter((one) => `${one}s` !== subject.filter)} hasComparison />
      <Waiting answer={answer} />
      {figures && !figureOf(figures.columns, lead.measure, 0, all).total && <Elsewhere measure={lead.measure} filter={filter} view={view} />}
      <div className={`panels ${answer.isStale ? "stale" : ""}`}>
        {figures && <Cards measures={subject.measures} columns={figures.columns} all={all} lead={lead} view={view} />}
        {figures &&
          subject.charts.map((chart) => (
            <Section key={chart.title} title={chart.title} name={lower(chart.title).replaceAll(" ", "-")} columns={6}>
              <Lines chart={chart} {...figures} all={all} view={view} />
            </Section>
          ))}
        {split && (
          <Section title={titleOf(lead, subject.split)} name="split" columns={isFunction ? 8 : 12}>
            <MetricChart table={split} measure={lead} by={subject.split} zone={zone} height={220} />
          </Section>
        )}
        {isFunction && <PanelFrame panel={functionTimes} answer={answer} view={view} />}
        {isFunction && <Running view={view} />}
      </div>
    </>
  );
}

/** What else there is to see of it: its deployments and errors, and its figures in the explorer. */
function Links({ subject: { dimension, split }, name, lead, view }: Omit<Given, "all"> & { view: View }) {
  const own = filterAddress([{ dimension, names: [name] }]);
  const isFilter = DIMENSIONS.some((one) => one.toUpperCase() === dimension);
  return (
    <p className="links">
      {isFilter && (
        <>
          <Link href={view.link("/deployments", own)}>Its deployments</Link> <Link href={view.link("/errors", own)}>Its errors</Link>{" "}
        </>
      )}
      <Link href={view.link("/explorer", { measure: lead.measure, by: split.toLowerCase(), ...own })}>Explore</Link>{" "}
      <Link href={view.link("/alerts/new", { measure: lead.measure, ...own })}>Alert me on this</Link>
    </p>
  );
}

type Columns = Parameters<typeof figureOf>[0];

type CardsProps = { measures: MeasureName[]; columns: Columns; all: Measure[]; lead: Measure; view: View };

function Cards({ measures, columns, all, lead, view }: CardsProps) {
  return (
    <div className="cards">
      {measures.flatMap((name) => {
        const measure = all.find((one) => one.measure === name);
        if (measure === undefined) return [];
        const { total, previous, values } = figureOf(columns, name, 0, all);
        const format = formatOf(measure.unit);
        return [
          <MetricsCard
            key={name}
            name={shortWordsOf(measure, lead)}
            value={total}
            previous={previous}
            format={format}
            exactly={measure.unit === "COUNT" ? exact(total) : format(total)}
            tone="line"
            points={values}
            view={view}
          />,
        ];
      })}
    </div>
  );
}

type LinesProps = { chart: Chart; buckets: Shown["buckets"]; columns: Columns; all: Measure[]; view: View };

function Lines({ chart: { title, kind, lines }, buckets, columns, all, view }: LinesProps) {
  const series = lines.map(({ name, measure, tone }) => ({ name, tone, kind, values: figureOf(columns, measure, 0, all).values }));
  const unit = all.find(({ measure }) => measure === lines[0]?.measure)?.unit ?? "COUNT";
  if (series.every(({ values }) => values.every((value) => !value))) return <Empty>There is nothing to count in this time.</Empty>;
  return <ChartComponent label={title} buckets={buckets} series={series} zone={view.zone} format={formatOf(unit)} ticks={ticksOf(unit)} />;
}
