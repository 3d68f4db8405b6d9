// Asks for a token, and says why one is needed.
import { type FormEvent, useState } from "react";

import { session } from "../api/session";
import type { Owner } from "../api/token";

/** `reason` is why the gateway refused the token, `owner` whose token may read nothing. */
type Props = { reason: string | null; owner?: Owner };

export function SignIn({ reason, owner }: Props) {
  const [text, setText] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (text.trim() !== "") session.use(text);
  };
  return (
    <main className="sign-in" id="main" tabIndex={-1}>
      <h1>Deployment analytics</h1>
      {reason !== null && (
        <p className="banner" role="alert" data-testid="refused">
          {/expired/.test(reason) ? "Your token is no longer valid, so you are signed out" : "The gateway refused the token"}: {reason}
        </p>
      )}
      {owner && (
        <p className="banner" role="alert" data-testid="reads-nothing">
          The token of {owner.subject} {owner.roles.length > 0 ? `has the role ${owner.roles.join(" and ")}: it can record events, and shows no data` : "has no role: it shows no data"}. Sign in with
          one that has the role viewer, maintainer or admin.
        </p>
      )}
      <p>
        You need an access token. Your administrator issues one; a demo has its own in the file <code>demo-token</code> of
        its data folder, and <code>make run</code> prints a link that signs in.
      </p>
      <form onSubmit={submit}>
        <label htmlFor="token">Access token</label>
        <input id="token" type="password" autoComplete="off" autoFocus data-testid="token-field" value={text} onChange={(event) => setText(event.target.value)} />
        <button type="submit" data-testid="token-submit">
          Sign in
        </button>
      </form>
      <p className="sub">It stays in the tabs of this browser and is sent to this gateway alone.</p>
    </main>
  );
}
