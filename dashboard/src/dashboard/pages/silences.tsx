// The silences: what holds messages back, now or later; made and ended here.
import { graphql, type SilencesQuery } from "../../../generated/graphql";
import { useView } from "../address/view";
import { useAnalytics } from "../api/use-analytics";
import { lower, type Word } from "../format/words";
import { useMayChange, useMayDecide, useMutation } from "../parts/acting";
import { Badge } from "../parts/badge";
import { Fault } from "../parts/form";
import { MadeList } from "../parts/made-list";
import { PagedTable } from "../parts/paged-table";
import { pageOf } from "../parts/pager";
import { Section } from "../parts/section";
import { MATCH_KINDS, SilenceForm } from "../parts/silence-form";
import type { Column } from "../parts/table";
import { Tabs } from "../parts/tabs";
import { Moment } from "../parts/time";

const QUERY = graphql(`
  query Silences($projects: [String!], $current: Boolean!, $first: Int, $after: String, $last: Int, $before: String) {
    silences(projects: $projects, current: $current, first: $first, after: $after, last: $last, before: $before) {
      totalCount isEstimate
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
      nodes {
        id isActive startsAt endsAt endedAt endedBy untilResolved comment createdBy
        project { slug }
        matchers { label kind value }
        schedule { weekdays start end timeZone }
      }
    }
    viewer { projects(first: 100) { nodes { slug } } }
    alerts(first: 100) { nodes { name } }
  }
`);
const END = graphql(`
  mutation EndSilence($id: ID!) {
    done: endSilence(input: { id: $id }) { userErrors { message } }
  }
`);

const PAGE_SIZE = 25;

type Silence = NonNullable<SilencesQuery["silences"]>["nodes"][number];

export default function SilencesPage() {
  const view = useView();
  const current = view.value("over") === "";
  const projects = view.value("project") === "" ? null : view.values("project");
  const answer = useAnalytics(QUERY, { projects, current, ...pageOf(view, PAGE_SIZE) });
  const mayDecide = useMayDecide();
  const mayChange = useMayChange();
  const { run, isBusy, fault } = useMutation(answer.reload);
  const { silences, alerts } = answer.data ?? {};
  const end: Column<Silence> = {
    title: "End it",
    isAction: true,
    cell: (silence) =>
      isCurrent(silence) &&
      mayChange(silence) && (
        <button type="button" disabled={isBusy} onClick={() => run(END, { id: silence.id })}>
          End now<span className="hidden">: {silence.comment}</span>
        </button>
      ),
  };
  const form = (slugs: string[]) => <SilenceForm view={view} projects={slugs} rules={(alerts?.nodes ?? []).map(({ name }) => name)} onDone={answer.reload} />;
  return (
    <MadeList title="Silences" noun="silence" view={view} answer={answer} form={form}>
      <Section title={current ? "Not over" : "All"} name="silences">
        <div className="filters">
          <Tabs label="Which silences" tabs={[{ value: "", label: "Not over" }, { value: "1", label: "All" }]} chosen={view.value("over")} onChoose={(over) => view.change({ over, before: null })} />
        </div>
        <Fault text={fault} />
        <PagedTable
          label="Silences"
          noun="silence"
          answer={answer}
          list={silences}
          columns={mayDecide ? [...COLUMNS, end] : COLUMNS}
          keyOf={({ id }) => id}
          view={view}
          empty={current ? "Nobody holds messages back: each alert tells its channels." : "There never was a silence."}
          kept={["over"]}
        />
      </Section>
    </MadeList>
  );
}

const COLUMNS: Column<Silence>[] = [
  {
    title: "Silence",
    cell: ({ comment, matchers, schedule }) => (
      <>
        <span>{comment}</span>
        <span className="sub">{matchers.map(matcherText).join(", and ")}</span>
        {schedule && <span className="sub">{scheduleText(schedule)}</span>}
      </>
    ),
  },
  { title: "State", cell: (silence) => <Badge word={stateOf(silence)} /> },
  { title: "Project", cell: ({ project }) => project?.slug ?? "all" },
  { title: "From", cell: ({ startsAt }, { zone }) => <Moment at={startsAt} zone={zone} /> },
  {
    title: "Until",
    cell: ({ endedAt, endsAt, untilResolved }, { zone }) => (
      <>
        <Moment at={endedAt ?? endsAt} zone={zone} />
        {untilResolved && <span className="sub"> or when resolved</span>}
      </>
    ),
  },
  {
    title: "By",
    cell: ({ createdBy, endedBy }) => (
      <>
        {createdBy}
        {endedBy !== null && <span className="sub"> · ended by {endedBy}</span>}
      </>
    ),
  },
];

function isCurrent({ endedAt, endsAt }: Silence): boolean {
  return endedAt === null && Date.parse(endsAt) > Date.now();
}

function stateOf(silence: Silence): Word {
  if (silence.isActive) return { text: "Holds", tone: "warn" };
  if (!isCurrent(silence)) return { text: silence.endedAt === null ? "Over" : "Ended", tone: "quiet" };
  return Date.parse(silence.startsAt) > Date.now() ? { text: "Planned", tone: "busy" } : { text: "Outside its hours", tone: "quiet" };
}

function matcherText({ label, kind, value }: Silence["matchers"][number]): string {
  return `${lower(label)} ${MATCH_KINDS.find(([one]) => one === kind)?.[1] ?? lower(kind)} ${value || "empty"}`;
}

function scheduleText({ weekdays, start, end, timeZone }: NonNullable<Silence["schedule"]>): string {
  return `${weekdays.map((day) => lower(day).slice(0, 3)).join(", ")} from ${start} to ${end}, ${timeZone}`;
}
