// One deployment: what happened to it, and what happened after it.
import { type DeploymentDetailQuery, graphql } from "../../../generated/graphql";
import { Link } from "../address/link";
import { useView, type View } from "../address/view";
import { useAnalytics } from "../api/use-analytics";
import { counted, duration } from "../format/numbers";
import { DEPLOYMENT, ERROR, lower, VERDICT } from "../format/words";
import { Empty } from "../panels/panel";
import { Badge } from "../parts/badge";
import { Facts } from "../parts/facts";
import { LogLines } from "../parts/log-lines";
import { Row } from "../parts/row";
import { Section } from "../parts/section";
import { StatusEvents } from "../parts/status-events";
import { ThingPage } from "../parts/thing-page";
import { Ago, Moment } from "../parts/time";
import { Timeline } from "../parts/timeline";

const QUERY = graphql(`
  query DeploymentDetail($id: ID!) {
    deployment(id: $id) {
      deploymentId externalId status createdAt startedAt finishedAt durationMs error rolledBackAt
      actor release commit repository environmentName networkName templateSlug framework
      project { slug }
      rolledBackTo { deploymentId release externalId }
      statusEvents(first: 50) { id occurredAt type error actor source }
      builds {
        buildId status startedAt finishedAt durationMs error
        phases { name status startedAt finishedAt durationMs }
      }
      verdict { outcome message comparisons { subject outcome message } }
      errors(first: 10) { id title status occurrences lastSeen }
      logLines(first: 50) { id occurredAt level logger message }
    }
  }
`);

const CHANGED = graphql(`
  subscription DeploymentDetailChanged($id: ID!) {
    deploymentChanged(deployment: $id) { deployment { status startedAt finishedAt durationMs } }
  }
`);

type Deployment = NonNullable<DeploymentDetailQuery["deployment"]>;

export default function DeploymentPage({ id }: { id: string }) {
  const view = useView();
  const answer = useAnalytics(QUERY, { id }, [{ text: CHANGED, variables: { id }, of: "deployment" }]);
  const deployment = answer.data?.deployment;
  return (
    <ThingPage
      noun="deployment"
      list="/deployments"
      title={deployment?.release ?? deployment?.externalId}
      state={deployment && DEPLOYMENT[deployment.status]}
      answer={answer}
      view={view}
    >
      {deployment && (
        <div className="panels">
          <Summary deployment={deployment} view={view} />
          <Judgement deployment={deployment} />
          <Course deployment={deployment} view={view} />
          <Errors deployment={deployment} view={view} />
          <Section title="Log lines" name="log">
            {deployment.logLines?.length ? <LogLines lines={deployment.logLines} zone={view.zone} /> : <Empty>No log line names this deployment.</Empty>}
            {deployment.logLines?.length ? <Link href={view.link("/logs", { deployment: deployment.deploymentId, range: "30d" })}>Search all of its lines</Link> : null}
          </Section>
        </div>
      )}
    </ThingPage>
  );
}

function Summary({ deployment, view }: { deployment: Deployment; view: View }) {
  const { rolledBackTo } = deployment;
  return (
    <Section title="What it is" columns={6} name="summary">
      {deployment.error !== null && <p className="banner">{deployment.error}</p>}
      <Facts
        facts={[
          ["Project", <Link href={view.link("/", { project: deployment.project.slug })}>{deployment.project.slug}</Link>],
          ["Environment", deployment.environmentName],
          ["Network", deployment.networkName],
          ["Template", deployment.templateSlug],
          ["Framework", deployment.framework],
          ["Created", <Moment at={deployment.createdAt} zone={view.zone} />],
          ["Took", duration(deployment.durationMs)],
          ["Rolled back", deployment.rolledBackAt && <Moment at={deployment.rolledBackAt} zone={view.zone} />],
          [
            "Rolled back to",
            rolledBackTo && (
              <Link href={view.link(`/deployments/${rolledBackTo.deploymentId}`)}>{rolledBackTo.release ?? rolledBackTo.externalId ?? String(rolledBackTo.deploymentId)}</Link>
            ),
          ],
          ["By", deployment.actor],
          ["Commit", deployment.commit && <code title={deployment.commit}>{deployment.commit.slice(0, 10)}</code>],
          ["Repository", deployment.repository],
          ["Id", <code>{deployment.externalId ?? String(deployment.deploymentId)}</code>],
        ]}
      />
    </Section>
  );
}

/** Whether errors, failures and latency became worse after it. */
function Judgement({ deployment: { verdict, status } }: { deployment: Deployment }) {
  return (
    <Section title="Verdict" columns={6} name="verdict">
      {verdict === null ? (
        <Empty>{status === "SUCCEEDED" || status === "ROLLED_BACK" ? "It could not be judged." : "It is judged once it has succeeded."}</Empty>
      ) : (
        <>
          <p className="verdict">
            <Badge word={VERDICT[verdict.outcome]} /> {verdict.message}
          </p>
          <ul className="rows">
            {verdict.comparisons.map(({ subject, outcome, message }) => (
              <li key={subject}>
                <span>{lower(subject)}</span>
                <Badge word={VERDICT[outcome]} />
                <span className="sub">{message}</span>
              </li>
            ))}
          </ul>
        </>
      )}
    </Section>
  );
}

function Course({ deployment, view }: { deployment: Deployment; view: View }) {
  const { builds, startedAt, createdAt, finishedAt, statusEvents } = deployment;
  const spans = [
    ...(builds ?? []).flatMap(({ phases, startedAt: begun, finishedAt: done, status }) =>
      phases?.length
        ? phases.map(({ name, status, startedAt, finishedAt }) => ({ name: name ?? "phase", start: startedAt, end: finishedAt, isBad: status === "FAILED" }))
        : [{ name: "build", start: begun, end: done, isBad: status === "FAILED" }],
    ),
    { name: "waiting", start: createdAt, end: startedAt, isBad: false },
    { name: startedAt ? "deploying" : "until its end", start: startedAt ?? createdAt, end: finishedAt, isBad: deployment.status === "FAILED" },
  ];
  return (
    <Section title="Timeline" name="timeline">
      <Timeline spans={spans} zone={view.zone} />
      <StatusEvents events={statusEvents ?? []} zone={view.zone} />
    </Section>
  );
}

function Errors({ deployment: { errors }, view }: { deployment: Deployment; view: View }) {
  return (
    <Section title="Errors that occurred in it" name="errors">
      {!errors?.length && <Empty>None is known.</Empty>}
      <ul className="rows">
        {(errors ?? []).map(({ id, title, status, occurrences, lastSeen }) => (
          <Row key={id} href={view.link(`/errors/${encodeURIComponent(id)}`)} title={title} side={<Ago at={lastSeen} zone={view.zone} />}>
            <Badge word={ERROR[status]} /> {counted(occurrences, "time")}
          </Row>
        ))}
      </ul>
    </Section>
  );
}
