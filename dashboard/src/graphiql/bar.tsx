// The bar above GraphiQL: who is signed in, what went wrong, and a field for a token.
import { type FormEvent, useState } from "react";

import { Menu } from "./menu";
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
      <h1>
        <Mark /> Deployment analytics <span className="place">GraphiQL</span>
      </h1>
      <Menu roles={token === null ? [] : (owner(token)?.roles ?? [])} />
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

function Mark() {
  return (
    <svg viewBox="0 0 32 32" width="22" height="22" aria-hidden="true">
      <rect fill="var(--bar-mark)" width="32" height="32" rx="8" />
      <path d="M7 24V16M13 24V11M19 24v-9M25 24V7" stroke="#fff" strokeWidth="3.5" strokeLinecap="round" />
    </svg>
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
