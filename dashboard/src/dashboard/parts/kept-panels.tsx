// The panels that are kept for a project: all of their figures are one request.
import { graphql, type KeptPanelsFragment, type Measure as MeasureName, type MetricFilter, type Text } from "../../../generated/graphql";
import { Link } from "../address/link";
import type { View } from "../address/view";
import { withFragments } from "../api/ask";
import { denominatorOf, type Measure, useCatalogue } from "../api/catalogue";
import { type Answer, useAnalytics } from "../api/use-analytics";
import { Empty, Loading } from "../panels/panel";
import { useMayDecide, useMutation } from "./acting";
import { QueryLink } from "./actions";
import { ConfirmButton } from "./confirm";
import { Fault } from "./form";
import { MetricChart, type Shown } from "./metric-chart";
import { filterAddress, filterOf } from "./names-address";
import { Section } from "./section";

const TABLE = graphql(`
  fragment KeptTable on MetricTable {
    buckets { start end open }
    groups { isOthers keys { kind name } }
    columns { values }
  }
`);
/** What is asked for one panel; `queryOf` asks the same of all. */
const ONE = graphql(`
  query KeptPanel($measures: [Measure!]!, $groupBy: [Dimension!], $filter: MetricFilter, $range: TimeRange!, $zone: TimeZone!) {
    metrics(measures: $measures, groupBy: $groupBy, filter: $filter, range: $range, interval: AUTO, timeZone: $zone, first: 4) { ...KeptTable }
  }
`);
const REMOVE = graphql(`
  mutation RemovePanel($project: String!, $id: ID!) {
    done: removePanel(input: { project: $project, id: $id }) { userErrors { message } }
  }
`);
const ORDER = graphql(`
  mutation OrderPanels($project: String!, $panels: [ID!]!) {
    done: orderPanels(input: { project: $project, panels: $panels }) { userErrors { message } }
  }
`);

type Panel = NonNullable<NonNullable<KeptPanelsFragment["project"]>["panels"]>[number];
type Asked = { panel: Panel; measure: Measure; measures: MeasureName[]; filter: MetricFilter };
type Tables = Record<string, Shown | null>;

export function KeptPanels({ panels, view, onDone }: { panels: Panel[]; view: View; onDone: () => void }) {
  const all = useCatalogue();
  const asked = panels.flatMap((panel) => askedOf(panel, all, view.slug) ?? []);
  const mayDecide = useMayDecide();
  if (panels.length > 0 && all.length === 0) return <Loading />;
  if (panels.length === 0) {
    return (
      <Section title="Kept panels" name="kept">
        <Empty>
          No chart is kept here yet. {mayDecide && <Link href={view.link("/explorer")}>Choose one in the explorer</Link>}
        </Empty>
      </Section>
    );
  }
  return <Charts panels={panels} asked={asked} view={view} onDone={onDone} />;
}

/** What to ask for a panel; null if the catalogue has no such measure. */
function askedOf(panel: Panel, all: Measure[], slug: string): Asked | null {
  const measure = all.find((one) => one.measure === panel.measure);
  if (measure === undefined) return null;
  const below = denominatorOf(measure, all);
  const measures = [measure, ...(below ? [below] : [])].map((one) => one.measure);
  return { panel, measure, measures, filter: { ...filterOf(panel.filter), projects: [slug] } };
}

const HEAD = "$range: TimeRange!, $zone: TimeZone!";

/** One query for all of them, each under a name of its own. */
function queryOf(asked: Asked[]): Text<Tables, object> {
  const declared = asked.map((_, index) => `$filter${index}: MetricFilter`);
  const fields = asked.map(({ measures, panel }, index) => `panel${index}: metrics(measures: [${measures.join(" ")}], groupBy: [${panel.groupBy.join(" ")}], filter: $filter${index}, range: $range, interval: AUTO, timeZone: $zone, first: 4) { ...KeptTable }`);
  return `query KeptPanels(${[HEAD, ...declared].join(", ")}) {\n    ${fields.join("\n    ")}\n  }${TABLE}` as Text<Tables, object>;
}

function Charts({ panels, asked, view, onDone }: { panels: Panel[]; asked: Asked[]; view: View; onDone: () => void }) {
  const { range, zone } = view;
  const filters = Object.fromEntries(asked.map(({ filter }, index) => [`filter${index}`, filter]));
  const answer = useAnalytics(asked.length > 0 ? queryOf(asked) : NOTHING, asked.length > 0 ? { range, zone, ...filters } : {});
  const { run, isBusy, fault } = useMutation(onDone);
  const move = (at: number, by: number) => {
    const ids = panels.map(({ id }) => id);
    ids.splice(at + by, 0, ...ids.splice(at, 1));
    void run(ORDER, { project: view.slug, panels: ids });
  };
  return (
    <>
      {fault !== null && <Fault text={fault} />}
      {panels.map((panel, index) => {
        const at = asked.findIndex((one) => one.panel === panel);
        return (
          <Section key={panel.id} title={panel.title} columns={6} name={`kept-${index}`}>
            <Contents panel={panel} asked={asked[at] ?? null} answer={answer} name={`panel${at}`} view={view} />
            <Actions
              panel={panel}
              asked={asked[at] ?? null}
              view={view}
              isBusy={isBusy}
              onMove={index > 0 ? () => move(index, -1) : null}
              onRemove={() => run(REMOVE, { project: view.slug, id: panel.id })}
            />
          </Section>
        );
      })}
    </>
  );
}

const NOTHING = "query Nothing { __typename }" as Text<Tables, object>;

type ContentsProps = { panel: Panel; asked: Asked | null; answer: Answer<Tables>; name: string; view: View };

function Contents({ panel, asked, answer, name, view }: ContentsProps) {
  const problem = panel.problem !== null && <p className="failed">{panel.problem}</p>;
  if (asked === null) return problem;
  const table = answer.data?.[name];
  if (answer.data === null && answer.problems.length === 0 && answer.unreachable === null) return <Loading />;
  const failed = answer.problems.find(({ path }) => path === undefined || path[0] === name);
  return (
    <>
      {problem}
      {table ? (
        <MetricChart table={table} measure={asked.measure} by={panel.groupBy[0] ?? null} zone={view.zone} height={200} />
      ) : (
        <p className="failed" role="alert">
          This panel could not be loaded. {failed?.message}
        </p>
      )}
    </>
  );
}

type ActionsProps = { panel: Panel; asked: Asked | null; view: View; isBusy: boolean; onMove: (() => void) | null; onRemove: () => void };

function Actions({ panel, asked, view, isBusy, onMove, onRemove }: ActionsProps) {
  const mayDecide = useMayDecide();
  const { range, zone } = view;
  return (
    <div className="buttons panel-actions">
      {asked && (
        <>
          <Link href={view.link("/explorer", { measure: asked.measure.measure, by: panel.groupBy[0]?.toLowerCase() ?? null, ...filterAddress(panel.filter) })}>
            Explore<span className="hidden"> {panel.title}</span>
          </Link>
          <QueryLink query={withFragments(ONE, TABLE)} variables={{ measures: asked.measures, groupBy: panel.groupBy, filter: asked.filter, range, zone }} label={panel.title} />
        </>
      )}
      {mayDecide && onMove && (
        <button type="button" className="quiet" disabled={isBusy} onClick={onMove}>
          Move up<span className="hidden">: {panel.title}</span>
        </button>
      )}
      {mayDecide && <ConfirmButton text="Remove" question={`Remove the panel “${panel.title}” from this page?`} isBusy={isBusy} onConfirm={onRemove} />}
    </div>
  );
}
