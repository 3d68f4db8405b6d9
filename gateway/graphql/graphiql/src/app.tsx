// The whole page: a bar that tells who is asking, and GraphiQL under it.
import { GraphiQL } from "graphiql";
import { useEffect, useMemo, useState } from "react";

import { Bar } from "./bar";
import { EXAMPLES_PLUGIN } from "./example-panel";
import { EXAMPLES } from "./examples";
import { createSender, type Outcome } from "./send";
import * as tokens from "./token";

const PLUGINS = [EXAMPLES_PLUGIN]; // the schema documentation and the history are always there
const FIRST_TABS = EXAMPLES.slice(0, 1).map(({ query }) => ({ query }));

export function App() {
  const [token, setToken] = useToken();
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  const send = useMemo(() => createSender(token, setOutcome), [token]);

  const change = (next: string | null) => {
    setOutcome(null);
    setToken(next);
  };

  return (
    <>
      <Bar token={token} outcome={outcome} onToken={change} />
      <main>
        <GraphiQL
          key={token}
          fetcher={send}
          // Without a token the gateway would only refuse to describe itself.
          schema={token === null ? null : undefined}
          plugins={PLUGINS}
          visiblePlugin={EXAMPLES_PLUGIN}
          defaultTabs={FIRST_TABS}
          inputValueDeprecation
          schemaDescription
        >
          <GraphiQL.Logo>
            <span />
          </GraphiQL.Logo>
        </GraphiQL>
      </main>
    </>
  );
}

/** The token of this browser tab, also when a new link is opened in a tab that has one. */
function useToken(): [string | null, (token: string | null) => void] {
  const [token, setToken] = useState(() => {
    tokens.takeFromAddress();
    return tokens.read();
  });
  useEffect(() => {
    const take = () => {
      tokens.takeFromAddress();
      setToken(tokens.read());
    };
    addEventListener("hashchange", take);
    return () => removeEventListener("hashchange", take);
  }, []);
  const change = (next: string | null) => {
    if (next === null) tokens.forget();
    else tokens.keep(next);
    setToken(tokens.read());
  };
  return [token, change];
}
