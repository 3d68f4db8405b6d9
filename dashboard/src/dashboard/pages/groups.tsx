// All networks, or all of another kind: their shares over time, and a row of figures for each.
import { graphql, type GroupsQuery } from "../../../generated/graphql";
import { Link } from "../address/link";
import { useView, type View } from "../address/view";
import { type Measure, useCatalogue, shortWordsOf } from "../api/catalogue";
import { askedFor, type Figure, figureOf } from "../api/figures";
import { withFragments } from "../api/ask";
import { signalOf } from "../api/signals";
import { useAnalytics } from "../api/use-analytics";
import { changeText, exact } from "../format/numbers";
import { formatOf } from "../format/units";
import { functionFigures } from "../panels/function-figures";
import { functionTimes } from "../panels/function-times";
import { PanelFrame } from "../panels/panel";
import { Elsewhere } from "../parts/elsewhere";
import { FilterBar, useNames } from "../parts/filter-bar";
import { Heading } from "../parts/heading";
import { MetricChart, nameOf, titleOf } from "../parts/metric-chart";
import { Running } from "../parts/running";
import { Section } from "../parts/section";
import { type Column, Table } from "../parts/table";
import { Waiting } from "../parts/waiting";
import { ENDPOINT, filterOf, FUNCTION, NETWORK, pageOf, type Subject, TEMPLATE } from "./subjects";
import { WithoutMeasures } from "../parts/without-measures";

const GROUPS = graphql(`
  query Groups(
    $lead: [Measure!]!, $measures: [Measure!]!, $groupBy: [Dimension!]!, $filter: MetricFilter
    $range: TimeRange!, $zone: TimeZone!, $compare: Comparison!, $functionFilter: FunctionFilter, $ofFunctions: Boolean!
  ) {
    chart: metrics(measures: $lead, groupBy: $groupBy, filter: $filter, range: $range, interval: AUTO, timeZone: $zone, first: 6) {
      buckets { start end open }
      groups { isOthers keys { kind name } }
      columns { measure values }
    }
    table: metrics(measures: $measures, groupBy: $groupBy, filter: $filter, range: $range, timeZone: $zone, compare: $compare, first: 50) {
      groups { isOthers keys { kind name } }
      columns { measure totals previousTotals }
      freshness { asOf complete }
    }
    ...FunctionFigures @include(if: $ofFunctions)
    ...FunctionTimes @include(if: $ofFunctions)
  }
`);
const QUERY = withFragments(GROUPS, functionFigures.fragment, functionTimes.fragment);

export const NetworksPage = () => <GroupsPage subject={NETWORK} />;
export const TemplatesPage = () => <GroupsPage subject={TEMPLATE} />;
export const FunctionsPage = () => <GroupsPage subject={FUNCTION} />;
export const EndpointsPage = () => <GroupsPage subject={ENDPOINT} />;

function GroupsPage({ subject }: { subject: Subject }) {
  const all = useCatalogue();
  const lead = all.find(({ measure }) => measure === subject.measures[0]);
  return lead === undefined ? <WithoutMeasures /> : <Groups subject={subject} all={all} lead={lead} />;
}

function Groups({ subject, all, lead }: { subject: Subject; all: Measure[]; lead: Measure }) {
  const view = useView();
  const { range, zone, compare, functionFilter } = view;
  const ofFunctions = subject === FUNCTION;
  const { dimension, measures, title, noun, only } = subject;
  const variables = { lead: [lead.measure], measures: askedFor(measures, all), groupBy: [dimension], filter: filterOf(subject, view), range, zone, compare, functionFilter, ofFunctions };
  const answer = useAnalytics(QUERY, variables, [signalOf(lead, view)]);
  const { chart, table } = answer.data ?? {};
  return (
    <>
      <Heading title={title} answer={answer} freshness={table?.freshness} zone={zone} />
      <FilterBar view={view} names={useNames(view, lead.measure, only)} only={only} hasComparison />
      {table?.groups.length === 0 && <Elsewhere measure={lead.measure} filter={filterOf(subject, view)} view={view} />}
      <div className={`panels ${answer.isStale ? "stale" : ""}`}>
        {ofFunctions && <PanelFrame panel={functionFigures} answer={answer} view={view} />}
        <Section title={titleOf(lead, dimension)} name="chart" columns={ofFunctions ? 8 : 12}>
          <Waiting answer={answer} />
          {chart && <MetricChart table={chart} measure={lead} by={dimension} zone={zone} height={220} />}
        </Section>
        {ofFunctions && <PanelFrame panel={functionTimes} answer={answer} view={view} />}
        {ofFunctions && <Running view={view} />}
        {table && table.groups.length > 0 && (
          <Section title={`Each ${noun}`} name="groups">
            <Table label={title} columns={columnsOf(subject, all, lead, view)} rows={rowsOf(table, subject, all, lead)} keyOf={({ name }) => name} view={view} />
          </Section>
        )}
      </div>
    </>
  );
}

type Row = { name: string; isNamed: boolean; figures: Figure[] };

function rowsOf({ groups, columns }: NonNullable<GroupsQuery["table"]>, { dimension, measures }: Subject, all: Measure[], lead: Measure): Row[] {
  return groups.map((group, at) => ({
    name: nameOf(group, dimension, lead),
    isNamed: !group.isOthers && group.keys[0]?.kind === "NAMED",
    figures: measures.map((measure) => figureOf(columns, measure, at, all)),
  }));
}

function columnsOf(subject: Subject, all: Measure[], lead: Measure, view: View): Column<Row>[] {
  const figures = subject.measures.map((name, at): Column<Row> => {
    const measure = all.find((one) => one.measure === name) ?? lead;
    const format = formatOf(measure.unit);
    return {
      title: shortWordsOf(measure, lead),
      isNumber: true,
      cell: ({ figures }) => format(figures[at]?.total),
      exactly: ({ figures }) => `${exact(figures[at]?.total)}; ${format(figures[at]?.previous)} ${view.compareLabel}`,
    };
  });
  return [
    { title: subject.noun, cell: ({ name, isNamed }) => (isNamed ? <Link href={pageOf(subject, name, view)}>{name}</Link> : name) },
    ...figures.slice(0, 1),
    { title: `vs ${view.compareLabel}`, isNumber: true, cell: ({ figures: [first] }) => changeText(first?.total, first?.previous) },
    ...figures.slice(1),
  ];
}

