// What happened to alerts, newest first.
import type { AlertsQuery } from "../../../generated/graphql";
import { Link } from "../address/link";
import type { View } from "../address/view";
import { lower, type Word } from "../format/words";
import { Badge } from "./badge";
import { Moment } from "./time";

type Event = Omit<NonNullable<AlertsQuery["alertEvents"]>["nodes"][number], "alert"> & {
  alert?: { id: string; name: string } | null;
};

const TONES: Record<string, Word["tone"]> = { FIRING: "bad", PENDING: "warn", FAILING: "bad", RESOLVED: "good", RECOVERED: "good", CALMED: "good" };

export function Transitions({ events, view }: { events: Event[]; view: View }) {
  return (
    <ul className="rows">
      {events.map(({ id, transition, at, by, labels, alert, evidence }) => (
        <li key={id}>
          <span>
            <Badge word={{ text: lower(transition), tone: TONES[transition] ?? "quiet" }} />{" "}
            {alert && <Link href={view.link(`/alerts/${encodeURIComponent(alert.id)}`)}>{alert.name}</Link>}{" "}
            {labels.map(({ value }) => value).join(", ")}
            {by !== null && ` by ${by}`}
          </span>
          <span className="side">
            <Moment at={at} zone={view.zone} />
          </span>
          {(evidence.deployment ?? evidence.reason) !== null && (
            <span className="sub">
              {evidence.reason}{" "}
              {evidence.deployment && (
                <Link href={view.link(`/deployments/${evidence.deployment.deploymentId}`)}>
                  {evidence.deployment.release ?? String(evidence.deployment.deploymentId)}
                </Link>
              )}
            </span>
          )}
        </li>
      ))}
    </ul>
  );
}
