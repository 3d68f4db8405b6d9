// What alerts told and the reader has not read: a count in the frame, and the list behind it.
import { type KeyboardEvent, useEffect, useId, useRef, useState } from "react";

import "../design/bell.css";

import { graphql, type UnreadQuery } from "../../../generated/graphql";
import { Link } from "../address/link";
import { useView } from "../address/view";
import { follow } from "../api/live";
import { paused } from "../api/use-analytics";
import { count, counted } from "../format/numbers";
import { Empty } from "../panels/panel";
import { useMutation } from "./acting";
import { Fault } from "./form";
import { Transitions } from "./transitions";

const UNREAD = graphql(`
  query Unread {
    unreadAlertEvents(first: 8) {
      totalCount isEstimate
      nodes {
        id transition at by
        labels { value }
        alert { id name }
        evidence { reason deployment { deploymentId release } }
      }
    }
  }
`);
const CHANGED = graphql(`
  subscription UnreadChanged {
    alertChanged { alert { id } }
  }
`);
const MARK = graphql(`
  mutation MarkRead($until: DateTime!) {
    done: markAlertsRead(input: { until: $until }) { userErrors { message } }
  }
`);

type Unread = NonNullable<UnreadQuery["unreadAlertEvents"]>;

export default function Bell() {
  const { unread, ask } = useUnread();
  const [isOpen, setIsOpen] = useState(false);
  const [holder, button] = [useRef<HTMLDivElement>(null), useRef<HTMLButtonElement>(null)];
  const id = useId();
  useEffect(() => {
    if (!isOpen) return;
    const leave = (event: Event) => {
      if (event.target instanceof Node && !holder.current?.contains(event.target)) setIsOpen(false);
    };
    addEventListener("pointerdown", leave);
    addEventListener("focusin", leave);
    return () => {
      removeEventListener("pointerdown", leave);
      removeEventListener("focusin", leave);
    };
  }, [isOpen]);
  if (unread === null) return null;
  const press = (event: KeyboardEvent) => {
    if (event.key !== "Escape" || !isOpen) return;
    setIsOpen(false);
    button.current?.focus();
  };
  return (
    <div className="bell" ref={holder} onKeyDown={press}>
      <button ref={button} type="button" className="quiet" aria-expanded={isOpen} aria-controls={id} data-testid="bell" onClick={() => setIsOpen(!isOpen)}>
        <svg viewBox="0 0 20 20" width="18" height="18" aria-hidden="true">
          <path d="M10 3a4.5 4.5 0 0 0-4.5 4.5c0 4-1.5 5-1.5 6h12c0-1-1.5-2-1.5-6A4.5 4.5 0 0 0 10 3ZM8.5 16a1.5 1.5 0 0 0 3 0" fill="none" stroke="currentColor" strokeWidth="1.5" />
        </svg>
        <span className="hidden">Unread alerts: </span>
        {unread.totalCount > 0 ? <strong className="bell-count">{`${count(unread.totalCount)}${unread.isEstimate ? "+" : ""}`}</strong> : <span className="hidden">none</span>}
      </button>
      {isOpen && (
        <section className="bell-list" id={id} aria-label="Unread alerts">
          <List unread={unread} onDone={ask} onLeave={() => setIsOpen(false)} />
        </section>
      )}
    </div>
  );
}

function List({ unread, onDone, onLeave }: { unread: Unread; onDone: () => void; onLeave: () => void }) {
  const view = useView();
  const { run, isBusy, fault } = useMutation(onDone);
  const [newest] = unread.nodes;
  return (
    <>
      <header className="bell-head">
        <h2>{unread.totalCount === 0 ? "All is read" : `${counted(unread.totalCount, "message")} to read`}</h2>
        {newest && (
          <button type="button" className="quiet" disabled={isBusy} onClick={() => run(MARK, { until: newest.at })}>
            Mark all as read
          </button>
        )}
      </header>
      <Fault text={fault} />
      {newest === undefined && <Empty>Nothing fired since you last marked all as read.</Empty>}
      <div onClick={(event) => event.target instanceof HTMLAnchorElement && onLeave()}>
        <Transitions events={unread.nodes} view={view} />
      </div>
      <p className="more">
        <Link href={view.link("/alerts")} onClick={onLeave}>
          All alerts
        </Link>
      </p>
    </>
  );
}

/** Asks at once and after each change of an alert, over the connection of the subscription: a page's own request stays alone. */
function useUnread(): { unread: Unread | null; ask: () => void } {
  const [unread, setUnread] = useState<Unread | null>(null);
  const asking = useRef<() => void>(() => undefined);
  useEffect(() => {
    const ended = new AbortController();
    let end = () => {};
    asking.current = paused(async () => {
      end();
      end = follow(UNREAD, {}, ({ unreadAlertEvents }) => setUnread(unreadAlertEvents));
    }, ended.signal);
    const stop = follow(CHANGED, {}, () => asking.current());
    const wake = () => asking.current();
    document.addEventListener("visibilitychange", wake);
    return () => {
      ended.abort();
      end();
      stop();
      document.removeEventListener("visibilitychange", wake);
    };
  }, []);
  return { unread, ask: () => asking.current() };
}
