// The latest deployments that failed or were rolled back, with why.
import { graphql } from "../../../generated/graphql";
import { DEPLOYMENT } from "../format/words";
import { Badge } from "../parts/badge";
import { Row } from "../parts/row";
import { Ago } from "../parts/time";
import { Empty, panel } from "./panel";

const fragment = graphql(`
  fragment Failures on Query {
    failures: deployments(filter: $filter, statuses: [FAILED, ROLLED_BACK], range: $range, timeZone: $zone, first: 6) {
      nodes { deploymentId createdAt status error release externalId environmentName networkName project { slug } }
    }
  }
`);

export const failures = panel({
  name: "failures",
  title: "Latest failures",
  columns: 4,
  height: 345,
  fragment,
  roots: ["failures"],
  View({ data, view }) {
    const { nodes } = data.failures;
    if (nodes.length === 0) return <Empty>No deployment failed in this time.</Empty>;
    return (
      <ul className="rows">
        {nodes.map(({ deploymentId, createdAt, status, error, release, externalId, environmentName, networkName, project }) => (
          <Row key={deploymentId} href={view.link(`/deployments/${deploymentId}`)} title={error ?? release ?? externalId ?? project.slug} side={<Ago at={createdAt} zone={view.zone} />}>
            <Badge word={DEPLOYMENT[status]} /> {[project.slug, environmentName, networkName].filter(Boolean).join(" · ")}
          </Row>
        ))}
      </ul>
    );
  },
});
