// What happened to alerts, newest first.
import type { ReactNode } from "react";

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

/** `why` shows more of one of them, below it. */
export function Transitions<One extends Event>({ events, view, why }: { events: One[]; view: View; why?: (event: One) => ReactNode }) {
  return (
    <ul className="rows">
      {events.map((event) => (
        <Row key={event.id} event={event} view={view}>
          {why?.(event)}
        </Row>
      ))}
    </ul>
  );
}

function Row({ event: { transition, at, by, labels, alert, evidence }, view, children }: { event: Event; view: View; children: ReactNode }) {
  return (
    <li>
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
      {children}
    </li>
  );
}
