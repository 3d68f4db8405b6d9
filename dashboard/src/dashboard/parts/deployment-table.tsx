// Deployments as the rows of a table.
import type { DeploymentStatus } from "../../../generated/graphql";
import { Link } from "../address/link";
import type { View } from "../address/view";
import { duration, exactDuration } from "../format/numbers";
import { DEPLOYMENT } from "../format/words";
import { Badge } from "./badge";
import { type Column, Table } from "./table";
import { Moment } from "./time";

type DeploymentRow = {
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

export const DEPLOYMENT_COLUMNS: Column<DeploymentRow>[] = [
  {
    title: "Deployment",
    cell: (row, view) => <Link href={view.link(`/deployments/${row.deploymentId}`)}>{row.release ?? row.externalId ?? String(row.deploymentId)}</Link>,
  },
  { title: "Status", cell: ({ status }) => <Badge word={DEPLOYMENT[status]} /> },
  { title: "Project", cell: ({ project }, view) => <Link href={view.link(`/projects/${project.slug}`)}>{project.slug}</Link> },
  { title: "Environment", cell: ({ environmentName }) => environmentName },
  { title: "Network", cell: ({ networkName }) => networkName },
  { title: "Template", cell: ({ templateSlug }) => templateSlug },
  { title: "Duration", isNumber: true, cell: ({ durationMs }) => duration(durationMs), exactly: ({ durationMs }) => exactDuration(durationMs) },
  { title: "Created", isNumber: true, cell: ({ createdAt }, { zone }) => <Moment at={createdAt} zone={zone} /> },
];

export const keyOfDeployment = ({ deploymentId }: DeploymentRow) => String(deploymentId);

export function DeploymentTable({ rows, view }: { rows: DeploymentRow[]; view: View }) {
  return <Table label="Deployments" columns={DEPLOYMENT_COLUMNS} rows={rows} keyOf={keyOfDeployment} view={view} />;
}
