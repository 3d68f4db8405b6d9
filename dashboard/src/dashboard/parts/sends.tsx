// Messages to a channel: what became of each, its tries, and another one for those that were given up.
import { type ChannelDetailQuery, graphql } from "../../../generated/graphql";
import type { View } from "../address/view";
import { counted, duration } from "../format/numbers";
import { lower, SEND } from "../format/words";
import { Empty } from "../panels/panel";
import { useMayDecide, useMutation } from "./acting";
import { Badge } from "./badge";
import { Fault } from "./form";
import { Moment } from "./time";

const RESEND = graphql(`
  mutation Resend($id: ID!) {
    done: resendNotification(input: { send: $id }) { userErrors { message } }
  }
`);

type Node = NonNullable<ChannelDetailQuery["node"]>;
type Send = NonNullable<Extract<Node, { sends: unknown }>["sends"]>["nodes"][number];

export function Sends({ sends, view, onDone }: { sends: Send[]; view: View; onDone: () => void }) {
  const { run, isBusy, fault } = useMutation(onDone);
  const mayDecide = useMayDecide();
  if (sends.length === 0) return <Empty>Nothing of this kind was sent within 90 days.</Empty>;
  return (
    <>
      <Fault text={fault} />
      <ul className="rows">
        {sends.map((send) => (
          <li key={send.sendId}>
            <span className="main">
              <Badge word={SEND[send.status]} /> {send.title ?? "A message without a title"}
            </span>
            <span className="side">
              <Moment at={send.createdAt} zone={view.zone} />
            </span>
            {send.reason !== null && <span className="sub">{send.reason}</span>}
            <Tries send={send} view={view} />
            {send.status === "DEAD" && mayDecide && (
              <button type="button" disabled={isBusy} onClick={() => run(RESEND, { id: send.sendId })}>
                Send again<span className="hidden">: {send.title}</span>
              </button>
            )}
          </li>
        ))}
      </ul>
    </>
  );
}

function Tries({ send: { attemptCount, attempts, dueAt, text }, view }: { send: Send; view: View }) {
  return (
    <details className="sub">
      <summary>
        {attemptCount === 0 ? "Not tried" : `Tried ${counted(attemptCount, "time")}`}
        {dueAt !== null && (
          <>
            , next at <Moment at={dueAt} zone={view.zone} />
          </>
        )}
      </summary>
      {text !== null && <p className="sentence message">{text}</p>}
      <ul>
        {(attempts ?? []).map(({ number, at, outcome, detail, durationMs }) => (
          <li key={number}>
            <Moment at={at} zone={view.zone} />: {lower(outcome)}
            {durationMs !== null && ` after ${duration(durationMs)}`}
            {detail !== null && ` · ${detail}`}
          </li>
        ))}
      </ul>
    </details>
  );
}
