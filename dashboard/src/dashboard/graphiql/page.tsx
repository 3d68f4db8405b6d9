// GraphiQL as a page of the dashboard, with what each answer took.
import { useEffect, useState } from "react";

import { takeFromFragment } from "../address/location";
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

/** The operation of the last link: `/graphql#query=…&variables=…`, as the charts have it. */
function useLinked(): Linked | null {
  const [linked, setLinked] = useState(takeLinked);
  useEffect(() => {
    const take = () => setLinked((before) => takeLinked() ?? before);
    addEventListener("hashchange", take);
    return () => removeEventListener("hashchange", take);
  }, []);
  return linked;
}

function takeLinked(): Linked | null {
  const { query, variables } = takeFromFragment("query", "variables");
  return query === undefined ? null : { query, variables: variables ?? "" };
}
