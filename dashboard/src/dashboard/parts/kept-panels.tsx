// The panels that are kept for a project: those of one kind of event are asked for together, and again when it changes.
import { graphql, type KeptPanelsFragment, type Measure as MeasureName, type MetricFilter, type Text } from "../../../generated/graphql";
import { Link } from "../address/link";
import type { View } from "../address/view";
import { withFragments } from "../api/ask";
import { denominatorOf, type Measure, useCatalogue } from "../api/catalogue";
import { signalOf } from "../api/signals";
import { type Answer, PAUSE_MS, type Question, useAnswers } from "../api/use-analytics";
import { Empty, Loading } from "../panels/panel";
import { useMayDecide, useMutation } from "./acting";
import { QueryLink } from "./actions";
import { Boundary } from "./boundary";
import { ConfirmButton } from "./confirm";
import { Fault } from "./form";
import { Unanswered } from "./heading";
import { MetricChart, type Shown } from "./metric-chart";
import { filterAddress, filterOf } from "./names-address";
import { RenameButton } from "./rename-button";
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
const RENAME = graphql(`
  mutation RenamePanel($project: String!, $id: ID!, $title: String!) {
    done: renamePanel(input: { project: $project, id: $id, title: $title }) { userErrors { message } }
  }
`);
const ORDER = graphql(`
  mutation OrderPanels($project: String!, $panels: [ID!]!) {
    done: orderPanels(input: { project: $project, panels: $panels }) { userErrors { message } }
  }
`);

type Panel = NonNullable<NonNullable<KeptPanelsFragment["project"]>["panels"]>[number];
type Asked = { panel: Panel; name: string; measure: Measure; measures: MeasureName[]; filter: MetricFilter };
type Tables = Record<string, Shown | null>;

/** How many panels one request asks for: of those with the most points and groups this many cost less than a viewer may spend. */
const AT_ONCE = 20;
/** So long for each panel between two requests, panels that change all the time cost half of a viewer's points. */
const PAUSE_OF_ONE_MS = 800;

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
  const name = `panel_${panel.id.replaceAll("-", "_")}`;
  return { panel, name, measure, measures, filter: { ...filterOf(panel.filter), projects: [slug] } };
}

/** A question for the panels of each kind of event; their order and titles do not change it. */
function questionsOf(asked: Asked[], view: View): { names: string[]; question: Question<Tables, object> }[] {
  const sorted = asked.toSorted((one, other) => one.name.localeCompare(other.name));
  const facts = [...new Set(sorted.map(({ measure }) => measure.fact))];
  const kinds = facts.map((fact) => sorted.filter(({ measure }) => measure.fact === fact));
  const parts = kinds.flatMap((kind) => kind.flatMap((_, at) => (at % AT_ONCE === 0 ? [kind.slice(at, at + AT_ONCE)] : [])));
  const pauseMs = Math.max(parts.length * PAUSE_MS, asked.length * PAUSE_OF_ONE_MS);
  const { range, zone } = view;
  return parts.map((part) => {
    const filters = Object.fromEntries(part.map(({ name, filter }) => [`of_${name}`, filter]));
    const signals = part.slice(0, 1).map(({ measure }) => signalOf(measure, view));
    return { names: part.map(({ name }) => name), question: { text: queryOf(part), variables: { range, zone, ...filters }, signals, pauseMs } };
  });
}

const HEAD = "$range: TimeRange!, $zone: TimeZone!";

/** One query for these panels, each under a name of its own. */
function queryOf(part: Asked[]): Text<Tables, object> {
  const declared = part.map(({ name }) => `$of_${name}: MetricFilter`);
  const fields = part.map(({ name, measures, panel }) => `${name}: metrics(measures: [${measures.join(" ")}], groupBy: [${panel.groupBy.join(" ")}], filter: $of_${name}, range: $range, interval: AUTO, timeZone: $zone, first: 4) { ...KeptTable }`);
  return `query KeptPanels(${[HEAD, ...declared].join(", ")}) {\n    ${fields.join("\n    ")}\n  }${TABLE}` as Text<Tables, object>;
}

function Charts({ panels, asked, view, onDone }: { panels: Panel[]; asked: Asked[]; view: View; onDone: () => void }) {
  const questions = questionsOf(asked, view);
  const answers = useAnswers(questions.map(({ question }) => question));
  const lost = answers.find(({ isStale, unreachable, problems }) => unreachable !== null || (isStale && problems.length > 0));
  const { run, isBusy, fault } = useMutation(onDone);
  const move = (at: number, by: number) => {
    const ids = panels.map(({ id }) => id);
    ids.splice(at + by, 0, ...ids.splice(at, 1));
    void run(ORDER, { project: view.slug, panels: ids });
  };
  return (
    <>
      {fault !== null && <Fault text={fault} />}
      {lost && <Unanswered answer={lost} />}
      {panels.map((panel, index) => {
        const one = asked.find((other) => other.panel === panel) ?? null;
        const answer = answers[questions.findIndex(({ names }) => one !== null && names.includes(one.name))];
        return (
          <Section key={panel.id} title={panel.title} columns={6} name={`kept-${index}`}>
            {panel.problem !== null && <p className="failed">{panel.problem}</p>}
            {one && (
              <Boundary what="This panel" of={answer?.data}>
                <Contents asked={one} answer={answer} zone={view.zone} />
              </Boundary>
            )}
            <Actions
              panel={panel}
              asked={one}
              view={view}
              isBusy={isBusy}
              onMove={index > 0 ? () => move(index, -1) : null}
              onRename={(title) => run(RENAME, { project: view.slug, id: panel.id, title })}
              onRemove={() => run(REMOVE, { project: view.slug, id: panel.id })}
            />
          </Section>
        );
      })}
    </>
  );
}

function Contents({ asked: { panel, name, measure }, answer, zone }: { asked: Asked; answer: Answer<Tables> | undefined; zone: string }) {
  const table = answer?.data?.[name];
  if (table) {
    return (
      <div className={answer.isStale ? "stale" : ""}>
        <MetricChart table={table} measure={measure} by={panel.groupBy[0] ?? null} zone={zone} height={200} />
      </div>
    );
  }
  const isAnswered = answer !== undefined && (answer.data?.[name] === null || answer.problems.length > 0);
  if (!isAnswered) return <Loading />;
  const failed = answer.problems.find(({ path }) => path === undefined || path[0] === name);
  return (
    <p className="failed" role="alert">
      This panel could not be loaded. {failed?.message}
    </p>
  );
}

type ActionsProps = { panel: Panel; asked: Asked | null; view: View; isBusy: boolean; onMove: (() => void) | null; onRename: (title: string) => void; onRemove: () => void };

function Actions({ panel, asked, view, isBusy, onMove, onRename, onRemove }: ActionsProps) {
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
      {mayDecide && <RenameButton title={panel.title} isBusy={isBusy} onRename={onRename} />}
      {mayDecide && <ConfirmButton text="Remove" question={`Remove the panel “${panel.title}” from this page?`} isBusy={isBusy} onConfirm={onRemove} />}
    </div>
  );
}
