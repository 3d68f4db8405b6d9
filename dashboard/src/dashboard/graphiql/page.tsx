// GraphiQL as a page of the dashboard, with what each answer took.
import { useEffect, useState } from "react";

import { inFragment, takeFromFragment } from "../address/location";
import { connection } from "../api/live";
import { useStore } from "../api/store";
import { createSender, type Measured } from "./send";
import { type Linked, Workbench } from "./workbench";

import "graphiql/style.css";
import "../design/graphiql.css";

export default function GraphiqlPage() {
  const [fault, setFault] = useState<string | null>(null);
  const [measured, setMeasured] = useState<Measured | null>(null);
  const [sender] = useState(() => createSender(setFault, setMeasured));
  const isLost = useStore(connection) === "lost";
  const linked = useLinked();
  useEffect(() => sender.end, [sender]);
  return (
    <div className="graphiql-page">
      <h1 className="hidden">GraphiQL</h1>
      {(fault !== null || isLost) && (
        <p className="banner" role="alert" data-testid="unreachable">
          The gateway does not respond{fault !== null && `: ${fault}`}
        </p>
      )}
      <Workbench key={linked?.query} send={sender.send} linked={linked} measured={measured} />
    </div>
  );
}

/**
 * The operation of the last link: `/graphql#query=…&variables=…`, as the charts have it. It leaves
 * the address once the page is shown: React may draw a page that is being loaded more than once.
 */
function useLinked(): Linked | null {
  const [linked, setLinked] = useState(() => linkedOf(inFragment("query", "variables")));
  useEffect(() => {
    const take = () => linkedOf(takeFromFragment("query", "variables"));
    const change = () => {
      const next = take();
      if (next !== null) setLinked(next);
    };
    take();
    addEventListener("hashchange", change);
    return () => removeEventListener("hashchange", change);
  }, []);
  return linked;
}

function linkedOf({ query, variables = "" }: { query?: string; variables?: string }): Linked | null {
  return query === undefined ? null : { query, variables };
}
