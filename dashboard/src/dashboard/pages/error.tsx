// One error: where it occurs, since when, what brought it, and what is decided about it.
import { type ErrorDetailQuery, graphql } from "../../../generated/graphql";
import { Link } from "../address/link";
import { useView, type View } from "../address/view";
import { localOf } from "../address/zones";
import { useAnalytics } from "../api/use-analytics";
import { ChartComponent } from "../charts/chart";
import { count, counted, exact } from "../format/numbers";
import { ERROR, lower } from "../format/words";
import { Empty } from "../panels/panel";
import { Decisions } from "../parts/decisions";
import { Facts } from "../parts/facts";
import { LogLines } from "../parts/log-lines";
import { Section } from "../parts/section";
import { StackTrace } from "../parts/stack-trace";
import { Suspects } from "../parts/suspects";
import { ThingPage } from "../parts/thing-page";
import { Ago, Moment } from "../parts/time";

const QUERY = graphql(`
  query ErrorDetail($id: ID!, $range: TimeRange!, $zone: TimeZone!) {
    error(id: $id) {
      id title errorType culprit severity platform status decidedAt decidedBy resolvedIn ignoredUntil ignoredCount
      firstSeen lastSeen firstRelease lastRelease occurrences affectedUsers regressions regressedAt regressedRelease
      project { slug members { subject } }
      assignee { subject }
      series(range: $range, timeZone: $zone) { start end occurrences }
      suspects {
        change at
        deployments {
          suspicion pValue beganWithRelease compareUrl
          before { rate events } after { rate events }
          deployment { deploymentId release createdAt finishedAt status project { slug } }
        }
      }
      spread { projects since networks { name projects } templates { name projects } }
      releases(first: 6) { release occurrences firstSeen lastSeen }
      functions(first: 6) { name occurrences }
      latestOccurrence {
        occurredAt release networkName templateSlug functionName
        environment { name }
        body {
          message
          exceptions { type value handled frames { file function line inApp linesBefore sourceLine linesAfter } }
          breadcrumbs { occurredAt category level message }
          tags { name value }
        }
      }
      latestOccurrences(first: 10) { nodes { id occurredAt release functionName environment { name } deployment { deploymentId release } } }
      logLines(first: 20) { id occurredAt level logger message }
    }
  }
`);

const CHANGED = graphql(`
  subscription ErrorDetailChanged($id: ID!) {
    errorChanged(error: $id) { error { status occurrences lastSeen decidedAt } }
  }
`);

type ErrorOf = NonNullable<ErrorDetailQuery["error"]>;

export default function ErrorPage({ id }: { id: string }) {
  const view = useView();
  const { range, zone } = view;
  const answer = useAnalytics(QUERY, { id, range, zone }, [{ text: CHANGED, variables: { id }, of: "error" }]);
  const error = answer.data?.error;
  return (
    <ThingPage noun="error" list="/errors" title={error?.title} state={error && ERROR[error.status]} answer={answer} view={view}>
      {error && (
        <>
          <Decisions error={error} onDone={answer.reload} />
          <div className="panels">
            <Summary error={error} view={view} />
            <Course error={error} view={view} />
            <Section title="What brought it" columns={6} name="suspects">
              <Suspects suspects={error.suspects} view={view} />
            </Section>
            <Where error={error} view={view} />
            <Section title="Stack of the latest occurrence" name="stack">
              <StackTrace body={error.latestOccurrence?.body ?? null} zone={zone} />
            </Section>
            <Occurrences error={error} view={view} />
            <Section title="Log lines around it" columns={6} name="log">
              {error.logLines?.length ? <LogLines lines={error.logLines} zone={zone} /> : <Empty>There are none.</Empty>}
            </Section>
          </div>
        </>
      )}
    </ThingPage>
  );
}

function Summary({ error, view }: { error: ErrorOf; view: View }) {
  return (
    <Section title="What it is" columns={4} name="summary">
      <Facts
        facts={[
          ["Project", <Link href={view.link("/errors", { project: error.project.slug })}>{error.project.slug}</Link>],
          ["Severity", lower(error.severity)],
          ["Where", error.culprit && <code>{error.culprit}</code>],
          ["Occurred", <span title={exact(error.occurrences)}>{counted(error.occurrences, "time")}</span>],
          ["Users", error.affectedUsers === 0 ? "none is known" : `about ${count(error.affectedUsers)}`],
          ["First seen", <Moment at={error.firstSeen} zone={view.zone} />],
          ["Last seen", <Ago at={error.lastSeen} zone={view.zone} />],
          ["First release", error.firstRelease],
          ["Last release", error.lastRelease],
          ["Assigned to", error.assignee?.subject],
          ["Decided", error.decidedAt && <Moment at={error.decidedAt} zone={view.zone} />],
          ["Resolved in", error.resolvedIn],
          ["Came back", error.regressedAt && `${counted(error.regressions, "time")}, last in ${error.regressedRelease ?? "an unnamed release"}`],
        ]}
      />
    </Section>
  );
}

/** The range that is the day of a time. */
function dayOf(at: string, zone: string): string {
  const day = localOf(new Date(at), zone).slice(0, 10);
  return `${day}..${day}`;
}

function Course({ error, view }: { error: ErrorOf; view: View }) {
  const now = Date.now();
  const buckets = (error.series ?? []).map(({ start, end }) => ({ start, end, open: Date.parse(end) > now }));
  const values = (error.series ?? []).map(({ occurrences }) => occurrences);
  if (values.every((value) => value === 0)) {
    return (
      <Section title="Occurrences in the range" columns={8} name="course">
        <Empty>
          It did not occur in this range. <Link href={view.link(`/errors/${encodeURIComponent(error.id)}`, { range: dayOf(error.lastSeen, view.zone) })}>Show the last day it occurred on</Link>
        </Empty>
      </Section>
    );
  }
  const suspects = (error.suspects?.deployments ?? []).filter(({ suspicion }) => suspicion === "SUSPECT");
  const markers = suspects.map(({ deployment }) => ({
    at: deployment.finishedAt ?? deployment.createdAt,
    label: `${deployment.release ?? deployment.project.slug} was deployed`,
    href: view.link(`/deployments/${deployment.deploymentId}`),
  }));
  return (
    <Section title="Occurrences in the range" columns={8} name="course">
      <ChartComponent
        label="Occurrences"
        buckets={buckets}
        series={[{ name: "Occurrences", tone: "bad", kind: "bar", values }]}
        zone={view.zone}
        format={count}
        markers={markers}
      />
    </Section>
  );
}

/** Other projects that have the same error, and the releases and functions it occurs in. */
function Where({ error: { spread, releases, functions }, view }: { error: ErrorOf; view: View }) {
  const places = [...(spread?.networks ?? []), ...(spread?.templates ?? [])];
  return (
    <Section title="Where it occurs" columns={6} name="spread">
      {spread && spread.projects > 1 ? (
        <p className="verdict" data-testid="spread">
          {counted(spread.projects, "project")} have it since <Moment at={spread.since} zone={view.zone} />
          {places.length > 0 && `: ${places.map(({ name, projects }) => `${name} (${count(projects)})`).join(", ")}`}.
        </p>
      ) : (
        <p className="verdict">No other project that you can see has it.</p>
      )}
      <ul className="rows">
        {[
          ...(releases ?? []).map(({ release, occurrences }) => ({ name: release, kind: "release", occurrences })),
          ...(functions ?? []).map(({ name, occurrences }) => ({ name, kind: "function", occurrences })),
        ].map(({ name, kind, occurrences }) => (
          <li key={`${kind} ${name}`}>
            <span>
              <span className="sub">{kind}</span> {name}
            </span>
            <span className="side">{counted(occurrences, "time")}</span>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function Occurrences({ error, view }: { error: ErrorOf; view: View }) {
  return (
    <Section title="Latest occurrences" columns={6} name="occurrences">
      <ul className="rows">
        {(error.latestOccurrences?.nodes ?? []).map(({ id, occurredAt, release, functionName, environment, deployment }) => (
          <li key={id}>
            <span>
              {deployment ? (
                <Link href={view.link(`/deployments/${deployment.deploymentId}`)}>{deployment.release ?? String(deployment.deploymentId)}</Link>
              ) : (
                (release ?? "no release")
              )}
            </span>
            <span className="side">
              <Moment at={occurredAt} zone={view.zone} />
            </span>
            <span className="sub">{[environment?.name, functionName].filter(Boolean).join(" · ")}</span>
          </li>
        ))}
      </ul>
    </Section>
  );
}
