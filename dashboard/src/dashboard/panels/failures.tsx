// The latest deployments that failed or were rolled back, with why.
import { type FailuresFragment, graphql } from "../../../generated/graphql";
import { Link } from "../address/link";
import type { View } from "../address/view";
import { DEPLOYMENT } from "../format/words";
import { Badge } from "../parts/badge";
import { Ago } from "../parts/time";
import { type Data, Empty, panel } from "./panel";

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
  View: Failures,
});

function Failures({ data, view }: { data: Data<FailuresFragment, "failures">; view: View }) {
  const { nodes } = data.failures;
  if (nodes.length === 0) return <Empty>No deployment failed in this time.</Empty>;
  return (
    <ul className="rows">
      {nodes.map(({ deploymentId, createdAt, status, error, release, externalId, environmentName, networkName, project }) => (
        <li key={deploymentId}>
          <Link href={view.link(`/deployments/${deploymentId}`)} className="main">
            {error ?? release ?? externalId ?? project.slug}
          </Link>
          <span className="side">
            <Ago at={createdAt} zone={view.zone} />
          </span>
          <span className="sub">
            <Badge word={DEPLOYMENT[status]} /> {[project.slug, environmentName, networkName].filter(Boolean).join(" · ")}
          </span>
        </li>
      ))}
    </ul>
  );
}
