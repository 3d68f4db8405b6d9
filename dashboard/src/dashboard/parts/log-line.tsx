// A log line of the list; opened, it shows all that is known of it.
import { Link } from "../address/link";
import type { View } from "../address/view";
import { precise, stamp } from "../format/times";
import { LEVEL } from "../format/words";
import type { LogLineLevel } from "../../../generated/graphql";
import { Facts } from "./facts";

type Line = { id: string; occurredAt: string; level: LogLineLevel; logger: string | null; message: string | null; project: { slug: string } };

type Opened = Line & {
  fields: unknown;
  traceId: string | null;
  spanId: string | null;
  release: string | null;
  environment: { name: string } | null;
  function: { name: string } | null;
  deployment: { deploymentId: string; release: string | null } | null;
};

type Props = { line: Line; opened: Opened | null; view: View; onOpen: (id: string) => void };

export function LogLine({ line: { id, occurredAt, level, logger, message, project }, opened, view, onOpen }: Props) {
  return (
    <li className={opened ? "opened" : ""}>
      <button type="button" className="line" aria-expanded={opened !== null} onClick={() => onOpen(id)}>
        <time dateTime={occurredAt} title={precise(occurredAt, view.zone)}>
          {stamp(occurredAt, view.zone)}
        </time>
        <span className={`level level-${level.toLowerCase()}`}>{LEVEL[level].text}</span>
        <span className="logger">{logger ?? project.slug}</span>
        <span className="message">{message ?? "the text is no longer stored"}</span>
      </button>
      {opened && <Details line={opened} view={view} />}
    </li>
  );
}

function Details({ line, view }: { line: Opened; view: View }) {
  const { deployment, traceId, project } = line;
  return (
    <div className="details">
      <Facts
        facts={[
          ["Written", precise(line.occurredAt, view.zone)],
          ["Project", <Link href={view.link(`/projects/${encodeURIComponent(project.slug)}`)}>{project.slug}</Link>],
          ["Logger", line.logger],
          ["Environment", line.environment?.name],
          ["Function", line.function?.name],
          ["Release", line.release],
          ["Deployment", deployment && <Link href={view.link(`/deployments/${encodeURIComponent(deployment.deploymentId)}`)}>{deployment.release ?? deployment.deploymentId}</Link>],
          ["Trace", traceId && <Link href={view.link("/logs", { trace: traceId, line: line.id })}>{traceId}</Link>],
          ["Span", line.spanId],
        ]}
      />
      <Fields fields={line.fields} />
    </div>
  );
}

/** The values that were written beside the text, as they are. */
function Fields({ fields }: { fields: unknown }) {
  const entries = typeof fields === "object" && fields !== null ? Object.entries(fields) : [];
  if (entries.length === 0) return <p className="sub">It has no fields.</p>;
  return (
    <table className="fields-of">
      <caption className="hidden">Fields</caption>
      <tbody>
        {entries.map(([name, value]) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td>{typeof value === "string" ? value : JSON.stringify(value)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
