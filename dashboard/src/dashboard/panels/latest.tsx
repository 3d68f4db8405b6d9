// The latest deployments.
import { graphql } from "../../../generated/graphql";
import { Link } from "../address/link";
import { DeploymentTable } from "../parts/deployment-table";
import { Empty, panel } from "./panel";

const fragment = graphql(`
  fragment Latest on Query {
    latest: deployments(filter: $filter, range: $range, timeZone: $zone, first: 8) {
      nodes { deploymentId externalId status createdAt durationMs release environmentName networkName templateSlug project { slug } }
    }
  }
`);

export const latest = panel({
  name: "latest",
  title: "Latest deployments",
  columns: 12,
  height: 340,
  fragment,
  roots: ["latest"],
  View({ data, view }) {
    const { nodes } = data.latest;
    if (nodes.length === 0) return <Empty>Nothing was deployed in this time.</Empty>;
    return (
      <>
        <DeploymentTable rows={nodes} view={view} />
        <p className="more">
          <Link href={view.link("/deployments")}>All deployments</Link>
        </p>
      </>
    );
  },
});
