// Deployments as the rows of a table.
import type { DeploymentStatus } from "../../../generated/graphql";
import { Link } from "../address/link";
import type { View } from "../address/view";
import { duration } from "../format/numbers";
import { DEPLOYMENT } from "../format/words";
import { Badge } from "./badge";
import { Moment } from "./time";

export type DeploymentRow = {
  deploymentId: unknown;
  externalId: string | null;
  status: DeploymentStatus;
  createdAt: string;
  durationMs: number | null;
  release: string | null;
  environmentName: string | null;
  networkName: string | null;
  templateSlug: string | null;
  project: { slug: string };
};

export function DeploymentTable({ rows, view }: { rows: DeploymentRow[]; view: View }) {
  return (
    <div className="table-holder" tabIndex={0} role="region" aria-label="Deployments">
      <table>
        <thead>
          <tr>
            <th scope="col">Deployment</th>
            <th scope="col">Status</th>
            <th scope="col">Project</th>
            <th scope="col">Environment</th>
            <th scope="col">Network</th>
            <th scope="col">Template</th>
            <th scope="col" className="number">
              Duration
            </th>
            <th scope="col" className="number">
              Created
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={String(row.deploymentId)}>
              <th scope="row">
                <Link href={view.link(`/deployments/${row.deploymentId}`)}>{row.release ?? row.externalId ?? String(row.deploymentId)}</Link>
              </th>
              <td>
                <Badge word={DEPLOYMENT[row.status]} />
              </td>
              <td>
                <Link href={view.link(`/projects/${row.project.slug}`)}>{row.project.slug}</Link>
              </td>
              <td>{row.environmentName}</td>
              <td>{row.networkName}</td>
              <td>{row.templateSlug}</td>
              <td className="number">{duration(row.durationMs)}</td>
              <td className="number">
                <Moment at={row.createdAt} zone={view.zone} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
