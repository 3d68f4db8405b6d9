// The title of a page, how fresh its figures are, and whether changes arrive.
import type { ReactNode } from "react";

import { connection } from "../api/live";
import { useStore } from "../api/store";
import type { Answer } from "../api/use-analytics";
import { clock, precise } from "../format/times";

export type Fresh = { asOf: string; complete: boolean };

type Props = {
  title: string;
  answer: Answer<unknown>;
  freshness?: Fresh | undefined;
  zone: string;
  children?: ReactNode;
};

export function Heading({ title, answer, freshness, zone, children }: Props) {
  return (
    <header className="heading">
      <h1>{title}</h1>
      {children}
      <p className="fresh" data-testid="freshness">
        <Liveness isStale={answer.isStale} unreachable={answer.unreachable} />
        {freshness && (
          <time dateTime={freshness.asOf} title={precise(freshness.asOf, zone)}>
            as of {clock(freshness.asOf, zone)}
            {!freshness.complete && ", range still open"}
          </time>
        )}
      </p>
      <Unanswered answer={answer} />
    </header>
  );
}

/** Why a question was not answered; nothing if it was. */
export function Unanswered({ answer: { data, problems, unreachable } }: { answer: Answer<unknown> }) {
  if (unreachable !== null) {
    return (
      <p className="banner" role="alert" data-testid="unreachable">
        The gateway does not respond{data === null ? "" : "; these are the last figures"}. Trying again …
      </p>
    );
  }
  if (!problems.some(({ code }) => code === "RATE_LIMITED")) return null;
  return (
    <p className="banner" role="alert">
      Too many requests; figures follow in a minute.
    </p>
  );
}

function Liveness({ isStale, unreachable }: { isStale: boolean; unreachable: string | null }) {
  const state = useStore(connection);
  if (unreachable !== null || state === "lost") return <span className="live is-bad">● not connected</span>;
  if (isStale) return <span className="live">● loading</span>;
  if (state === "live") return <span className="live is-good">● live</span>;
  return null;
}
