// What was reported of one thing, such as a deployment: its status events.
import { lower } from "../format/words";
import { Moment } from "./time";

type StatusEvent = { id: unknown; occurredAt: string; type: string; error: string | null; actor?: string | null; source: string | null };

export function StatusEvents({ events, zone }: { events: StatusEvent[]; zone: string }) {
  return (
    <ol className="rows">
      {events.map(({ id, occurredAt, type, error, actor, source }) => (
        <li key={String(id)}>
          <span>
            {lower(type)}
            {error !== null && <span className="is-bad"> {error}</span>}
          </span>
          <span className="side">
            {[actor, source].filter(Boolean).join(" · ")} <Moment at={occurredAt} zone={zone} />
          </span>
        </li>
      ))}
    </ol>
  );
}
