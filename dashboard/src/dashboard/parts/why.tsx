// Why an alert fired at a moment, or did not: asked once somebody wants to know.
import { useState } from "react";

import { graphql } from "../../../generated/graphql";
import { useAnalytics } from "../api/use-analytics";
import { Loading } from "../panels/panel";
import { Fault } from "./form";

const EXPLAIN = graphql(`
  query ExplainAlert($id: ID!, $at: DateTime!) {
    alert(id: $id) { explain(at: $at, first: 100) { notes instances { name sentence } } }
  }
`);

type Props = { alert: string; at: string; instance: string };

export function Why(props: Props) {
  const [isOpen, setIsOpen] = useState(false);
  return (
    <details className="sub" onToggle={(event) => setIsOpen(event.currentTarget.open)}>
      <summary>Why</summary>
      {isOpen && <Explanation {...props} />}
    </details>
  );
}

function Explanation({ alert, at, instance }: Props) {
  const answer = useAnalytics(EXPLAIN, { id: alert, at });
  const explanation = answer.data?.alert?.explain;
  if (answer.data === null && answer.problems.length === 0) return answer.unreachable === null ? <Loading /> : <Fault text="The gateway does not respond." />;
  const own = explanation?.instances.find(({ name }) => name === instance);
  return (
    <>
      <p className="sentence">{own?.sentence ?? answer.problems[0]?.message ?? "Nothing is known of it any more."}</p>
      {(explanation?.notes ?? []).map((note) => (
        <p key={note}>{note}</p>
      ))}
    </>
  );
}
