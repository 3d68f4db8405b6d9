// The silences: what holds messages back, now or later; made and ended here.
import { graphql, type SilencesQuery } from "../../../generated/graphql";
import { Link } from "../address/link";
import { useView, type View } from "../address/view";
import { useAnalytics } from "../api/use-analytics";
import { lower, type Word } from "../format/words";
import { Empty, Loading } from "../panels/panel";
import { useIsAdmin, useMayDecide, useMutation } from "../parts/acting";
import { AlertTabs } from "../parts/alert-tabs";
import { Badge } from "../parts/badge";
import { Choice } from "../parts/filter-bar";
import { Fault } from "../parts/form";
import { Heading } from "../parts/heading";
import { Pager, pageOf } from "../parts/pager";
import { Section } from "../parts/section";
import { MATCH_KINDS, SilenceForm } from "../parts/silence-form";
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
  const { silences, viewer, alerts } = answer.data ?? {};
  const slugs = (viewer?.projects?.nodes ?? []).map(({ slug }) => slug);
  const isMaking = mayDecide && view.value("make") !== "";
  return (
    <>
      <Heading title="Silences" answer={answer} zone={view.zone}>
        {mayDecide && !isMaking && <Link href={view.link("/alerts/silences", { make: "1" })}>New silence</Link>}
      </Heading>
      <div className="filters">
        <AlertTabs view={view} />
        <Choice label="project" value={view.value("project")} options={slugs} onChange={(project) => view.change({ project })} />
      </div>
      <div className={`panels ${answer.isStale ? "stale" : ""}`}>
        {isMaking && viewer && (
          <Section title="New silence" name="make">
            <SilenceForm view={view} projects={slugs} rules={(alerts?.nodes ?? []).map(({ name }) => name)} onDone={answer.reload} />
          </Section>
        )}
        <Section title={current ? "Not over" : "All"} name="silences">
          <div className="filters">
            <Tabs label="Which silences" tabs={[{ value: "", label: "Not over" }, { value: "1", label: "All" }]} chosen={view.value("over")} onChoose={(over) => view.change({ over, before: null })} />
          </div>
          {answer.data === null && answer.problems.length === 0 && answer.unreachable === null && <Loading />}
          {answer.problems.map(({ message }) => (
            <Fault key={message} text={message} />
          ))}
          {silences?.nodes.length === 0 && <Empty>{current ? "Nobody holds messages back: each alert tells its channels." : "There never was a silence."}</Empty>}
          {silences && silences.nodes.length > 0 && <Table silences={silences.nodes} view={view} onDone={answer.reload} />}
          {silences && silences.totalCount > 0 && <Pager page={silences} view={view} kept={["over"]} noun="silence" />}
        </Section>
      </div>
    </>
  );
}

function Table({ silences, view, onDone }: { silences: Silence[]; view: View; onDone: () => void }) {
  const { run, isBusy, fault } = useMutation(onDone);
  const [mayDecide, isAdmin] = [useMayDecide(), useIsAdmin()];
  return (
    <>
      <Fault text={fault} />
      <div className="table-holder" tabIndex={0} role="region" aria-label="Silences">
        <table>
          <thead>
            <tr>
              <th scope="col">Silence</th>
              <th scope="col">State</th>
              <th scope="col">Project</th>
              <th scope="col">From</th>
              <th scope="col">Until</th>
              <th scope="col">By</th>
              {mayDecide && (
                <th scope="col">
                  <span className="hidden">End it</span>
                </th>
              )}
            </tr>
          </thead>
          <tbody>
            {silences.map((silence) => (
              <tr key={silence.id}>
                <th scope="row" className="title">
                  <span>{silence.comment}</span>
                  <span className="sub">{silence.matchers.map(matcherText).join(", and ")}</span>
                  {silence.schedule && <span className="sub">{scheduleText(silence.schedule)}</span>}
                </th>
                <td>
                  <Badge word={stateOf(silence)} />
                </td>
                <td>{silence.project?.slug ?? "all"}</td>
                <td>
                  <Moment at={silence.startsAt} zone={view.zone} />
                </td>
                <td>
                  <Moment at={silence.endedAt ?? silence.endsAt} zone={view.zone} />
                  {silence.untilResolved && <span className="sub"> or when resolved</span>}
                </td>
                <td>
                  {silence.createdBy}
                  {silence.endedBy !== null && <span className="sub"> · ended by {silence.endedBy}</span>}
                </td>
                {mayDecide && (
                  <td>
                    {isCurrent(silence) && (isAdmin || silence.project !== null) && (
                      <button type="button" disabled={isBusy} onClick={() => run(END, { id: silence.id })}>
                        End now<span className="hidden">: {silence.comment}</span>
                      </button>
                    )}
                  </td>
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

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
