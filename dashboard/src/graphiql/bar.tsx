// The bar above GraphiQL: who is signed in, what went wrong, and a field for a token.
import { type FormEvent, useState } from "react";

import type { Outcome } from "./send";
import { owner } from "../shared/token";

type Props = {
  token: string | null;
  outcome: Outcome | null;
  onToken: (token: string | null) => void;
};

export function Bar({ token, outcome, onToken }: Props) {
  const refused = outcome?.kind === "refused";
  return (
    <header className="bar">
      <h1>Deployment analytics</h1>
      {outcome?.kind === "unreachable" && (
        <p role="alert" data-testid="unreachable">
          The gateway does not respond: {outcome.reason}
        </p>
      )}
      {refused && (
        <p role="alert" data-testid="refused">
          The gateway refused the token: {outcome.reason}
        </p>
      )}
      {token === null && !refused && (
        <p data-testid="token-needed">
          You need a token to run an operation. Open the link that <code>make run</code> prints, or
          paste the contents of the file <code>demo-token</code> in the data folder.
        </p>
      )}
      {token === null || refused ? (
        <TokenField onToken={onToken} />
      ) : (
        <SignedIn token={token} onForget={() => onToken(null)} />
      )}
    </header>
  );
}

function TokenField({ onToken }: { onToken: (token: string) => void }) {
  const [text, setText] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (text.trim() !== "") onToken(text);
  };
  return (
    <form onSubmit={submit}>
      <input
        type="password"
        autoComplete="off"
        aria-label="Access token"
        placeholder="Paste a token"
        data-testid="token-field"
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      <button type="submit" data-testid="token-submit">
        Use token
      </button>
    </form>
  );
}

function SignedIn({ token, onForget }: { token: string; onForget: () => void }) {
  const claims = owner(token);
  const roles = claims?.roles.length ? ` (${claims.roles.join(", ")})` : "";
  return (
    <div className="signed-in">
      <span data-testid="signed-in">{claims ? `${claims.subject}${roles}` : "Token set"}</span>
      <button type="button" data-testid="token-forget" onClick={onForget}>
        Forget token
      </button>
    </div>
  );
}
