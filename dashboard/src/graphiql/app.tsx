// The whole page: a bar that shows who is signed in, and GraphiQL below it.
import { useEffect, useMemo, useState } from "react";

import { Bar } from "./bar";
import { createSender, type Measured, type Outcome } from "./send";
import * as tokens from "../shared/token";
import { Workbench } from "./workbench";

export function App() {
  const [token, setToken] = useToken();
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  const [measured, setMeasured] = useState<Measured | null>(null);
  const send = useMemo(() => {
    return createSender(token, (next) => {
      if (next.kind === "refused") tokens.doubt();
      setOutcome(next);
      if (next.measured) setMeasured(next.measured);
    });
  }, [token]);

  const change = (next: string | null) => {
    setOutcome(null);
    setToken(next);
  };

  return (
    <>
      <Bar token={token} outcome={outcome} onToken={change} />
      <main>
        {/* Without a token the gateway refuses introspection. */}
        <Workbench key={token} send={send} introspect={token !== null} measured={measured} />
      </main>
    </>
  );
}

/** The token of this tab, or that of another one; a new link replaces it. */
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
    void tokens.borrow().then(take);
    const end = tokens.lend(() => setToken(null));
    addEventListener("hashchange", take);
    const endReturns = tokens.onReturn(take);
    return () => {
      end();
      endReturns();
      removeEventListener("hashchange", take);
    };
  }, []);
  const change = (next: string | null) => {
    if (next === null) tokens.signOut();
    else tokens.keep(next);
    setToken(tokens.read());
  };
  return [token, change];
}
