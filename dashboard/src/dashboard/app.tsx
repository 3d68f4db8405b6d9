// The whole dashboard: who is signed in, where the pages are, and the page of the address.
import { lazy, Suspense, useEffect, useState } from "react";

import { Link } from "./address/link";
import { useAddress } from "./address/location";
import { useView, useWholeAddress } from "./address/view";
import { disconnect } from "./api/live";
import { isServed } from "./api/served";
import { type Session, session, sessions } from "./api/session";
import { useStore } from "./api/store";
import { lend, onReturn, type Owner } from "./api/token";
import { askWho } from "./api/who";
import { Navigation } from "./navigation";
import { HOME, isOffered, pageAt } from "./pages/pages";
import { SignIn } from "./pages/sign-in";
import { Loading } from "./panels/panel";
import { Boundary } from "./parts/boundary";
import { PaletteButton } from "./parts/palette-button";

const READING = ["viewer", "maintainer", "admin"];

const Bell = lazy(() => import("./parts/bell"));

export function AnalyticsDashboard() {
  const current = useStore(sessions);
  useEffect(() => {
    void session.start();
    const take = () => void session.start();
    addEventListener("hashchange", take);
    const end = onReturn(take);
    return () => {
      end();
      removeEventListener("hashchange", take);
    };
  }, []);
  useEffect(() => lend(session.end), []);
  const token = current.kind === "signed in" ? current.token : null;
  useEffect(() => disconnect, [token]);
  if (current.kind === "starting") return <Loading />;
  if (current.kind === "signed out") return <SignIn reason={current.reason} />;
  if (current.owner && !mayRead(current.owner)) return <SignIn reason={null} owner={current.owner} />;
  return <Frame key={token} current={current} />;
}

function Frame({ current }: { current: Session & { kind: "signed in" } }) {
  const { path } = useAddress();
  const view = useView();
  const { owner } = current;
  useWholeAddress(onlyProjectOf(owner));
  const found = pageAt(path);
  const [isMenuOpen, setIsMenuOpen] = useState(false);
  useEffect(() => setIsMenuOpen(false), [path]);
  useEffect(() => {
    if (owner === null) void askWho(current.token);
  }, [owner, current.token]);
  useEffect(() => {
    document.title = `${found?.page.title ?? "Not found"} · Deployment analytics`;
  }, [found?.page.title]);
  return (
    <>
      <a className="skip" href="#main">
        Skip to the contents
      </a>
      <header className="top">
        <Link href={view.link(HOME)} className="brand" aria-label="Deployment analytics">
          <Mark /> <span className="wide">Deployment analytics</span>
        </Link>
        <button type="button" className="menu" aria-expanded={isMenuOpen} aria-controls="pages" onClick={() => setIsMenuOpen(!isMenuOpen)}>
          Menu
        </button>
        {isServed("dashboard") && <PaletteButton />}
        {isServed("dashboard") && (
          <Boundary what="The bell" isSmall>
            <Suspense>
              <Bell />
            </Suspense>
          </Boundary>
        )}
        <SignedIn current={current} />
      </header>
      <Navigation path={path} view={view} roles={owner?.roles ?? []} isOpen={isMenuOpen} onClose={() => setIsMenuOpen(false)} />
      <main id="main" tabIndex={-1}>
        <Boundary key={path} what="This page">
          <Suspense fallback={<Loading />}>
            {found && owner !== null && !isOffered(found.page, owner.roles) ? (
              <NotOffered />
            ) : found ? (
              <found.page.Page key={found.id} id={found.id} />
            ) : (
              <NotFound />
            )}
          </Suspense>
        </Boundary>
      </main>
    </>
  );
}

function Mark() {
  return (
    <svg viewBox="0 0 32 32" width="22" height="22" aria-hidden="true">
      <rect className="mark" width="32" height="32" rx="8" />
      <path d="M7 24V16M13 24V11M19 24v-9M25 24V7" stroke="#fff" strokeWidth="3.5" strokeLinecap="round" />
    </svg>
  );
}

function SignedIn({ current: { owner, isDemo } }: { current: Session & { kind: "signed in" } }) {
  return (
    <p className="signed-in">
      <span data-testid="signed-in">
        {isDemo && <strong className="demo">Demo</strong>}
        {isDemo && <span className="wide">signed in by itself as </span>}
        {owner?.subject ?? "signed in"}
      </span>
      <button type="button" className="quiet" onClick={() => session.leave()}>
        Sign out
      </button>
    </p>
  );
}

function NotFound() {
  return (
    <div className="heading">
      <h1>There is no such page</h1>
      <p>The navigation leads to those there are.</p>
    </div>
  );
}

function NotOffered() {
  return (
    <div className="heading">
      <h1>This page is for admins</h1>
      <p>Your token has another role.</p>
    </div>
  );
}

/** Whether one of the token's roles shows anything: the role ingest only records events. */
function mayRead({ roles }: Owner): boolean {
  return roles.some((role) => READING.includes(role));
}

/** The project of a reader who can see but one. */
function onlyProjectOf(owner: Owner | null): string | null {
  if (owner === null || owner.roles.includes("admin") || owner.projects.length !== 1) return null;
  return owner.projects[0] ?? null;
}
