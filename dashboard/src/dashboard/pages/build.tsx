// One build: what it was of, how long each phase took, and its deployment.
import { type BuildDetailQuery, graphql } from "../../../generated/graphql";
import { Link } from "../address/link";
import { useView, type View } from "../address/view";
import { useAnalytics } from "../api/use-analytics";
import { count, duration } from "../format/numbers";
import { BUILD, DEPLOYMENT } from "../format/words";
import { Badge } from "../parts/badge";
import { Facts } from "../parts/facts";
import { Section } from "../parts/section";
import { StatusEvents } from "../parts/status-events";
import { ThingPage } from "../parts/thing-page";
import { Moment } from "../parts/time";
import { Timeline } from "../parts/timeline";

const QUERY = graphql(`
  query BuildDetail($id: ID!) {
    build(id: $id) {
      id buildId externalId status createdAt startedAt finishedAt durationMs error
      branch commit assetCount totalBytes cpuMs memoryBytes environmentName templateSlug framework
      project { slug }
      deployment { deploymentId release externalId status }
      phases { name status startedAt finishedAt durationMs }
      statusEvents(first: 50) { id occurredAt type error source }
    }
  }
`);
const CHANGED = graphql(`
  subscription BuildChanged($id: ID) { buildChanged(build: $id) { __typename } }
`);

type Build = NonNullable<BuildDetailQuery["build"]>;

export default function BuildPage({ id }: { id: string }) {
  const view = useView();
  const answer = useAnalytics(QUERY, { id }, [{ text: CHANGED, variables: { id } }]);
  const build = answer.data?.build;
  return (
    <ThingPage noun="build" title={build && `Build ${build.externalId ?? build.buildId}`} state={build && BUILD[build.status]} answer={answer} view={view}>
      {build && (
        <div className="panels">
          <Summary build={build} view={view} />
          <Course build={build} view={view} />
        </div>
      )}
    </ThingPage>
  );
}

function Summary({ build, view }: { build: Build; view: View }) {
  const { project, deployment, cpuMs, memoryBytes, totalBytes } = build;
  return (
    <Section title="About it" name="about">
      {build.error !== null && <p className="failed">{build.error}</p>}
      <Facts
        facts={[
          ["Project", <Link href={view.link(`/projects/${project.slug}`)}>{project.slug}</Link>],
          [
            "Deployment",
            deployment && (
              <>
                <Link href={view.link(`/deployments/${deployment.deploymentId}`)}>{deployment.release ?? deployment.externalId ?? String(deployment.deploymentId)}</Link>{" "}
                <Badge word={DEPLOYMENT[deployment.status]} />
              </>
            ),
          ],
          ["Branch", build.branch],
          ["Commit", build.commit],
          ["Environment", build.environmentName],
          ["Template", build.templateSlug],
          ["Framework", build.framework],
          ["Created", <Moment at={build.createdAt} zone={view.zone} />],
          ["Duration", duration(build.durationMs)],
          ["Processor time", cpuMs === null ? null : duration(cpuMs)],
          ["Memory", memoryBytes === null ? null : `${count(memoryBytes / 1_000_000)} MB`],
          ["Files", build.assetCount === null ? null : count(build.assetCount)],
          ["Size", totalBytes === null ? null : `${count(totalBytes / 1_000_000)} MB`],
        ]}
      />
    </Section>
  );
}

function Course({ build: { phases, statusEvents }, view }: { build: Build; view: View }) {
  const spans = (phases ?? []).map(({ name, status, startedAt, finishedAt }) => ({
    name: name ?? "phase",
    start: startedAt,
    end: finishedAt,
    isBad: status === "FAILED",
  }));
  return (
    <Section title="Timeline" name="timeline">
      <Timeline spans={spans} zone={view.zone} />
      <StatusEvents events={statusEvents ?? []} zone={view.zone} />
    </Section>
  );
}
