// What a panel is, and how a page shows it: title, contents, or what is in their place.
import type { ComponentType, ReactNode } from "react";

import type { Measure, Text } from "../../../generated/graphql";
import { Link } from "../address/link";
import type { View } from "../address/view";
import type { Problem } from "../api/ask";
import type { Answer } from "../api/use-analytics";
import { useMayDecide } from "../parts/acting";
import { QueryLink } from "../parts/actions";
import { Boundary } from "../parts/boundary";
import { queryOf, variablesOf } from "./query";

/** A fragment's data whose roots are there. */
type Data<Fragment, Root extends keyof Fragment> = Omit<Fragment, Root> & { [Key in Root]: NonNullable<Fragment[Key]> };

export type Panel = {
  name: string;
  title: string;
  /** How many of the twelve columns it takes on a wide screen. */
  columns: number;
  /** The height that its contents usually have, in pixels: kept free while they load, so that what stands below stays in its place. */
  height?: number;
  /** Whether it stands without a frame, as cards do, which have their own. */
  isBare?: boolean;
  /** The measure that an alert made from this panel watches, and what it is split by. */
  alert?: { measure: Measure; by?: string };
  fragment: string;
  roots: readonly string[];
  View: ComponentType<{ data: never; view: View }>;
};

/** Declares a panel: `roots` are the fields of its fragment without which it shows nothing. */
export function panel<Fragment, Root extends keyof Fragment & string>(definition: {
  name: string;
  title: string;
  columns: number;
  height?: number;
  isBare?: boolean;
  alert?: { measure: Measure; by?: string };
  fragment: Text<Fragment, object>;
  roots: readonly Root[];
  View: ComponentType<{ data: Data<Fragment, Root>; view: View }>;
}): Panel {
  return definition as unknown as Panel;
}

type Answered = Answer<Record<string, unknown>>;

/** Panels side by side; `isStrip` keeps them low above a list. */
export function Panels({ panels, answer, view, isStrip }: { panels: Panel[]; answer: Answered; view: View; isStrip?: boolean }) {
  return (
    <div className={`panels ${isStrip ? "strip " : ""}${answer.isStale ? "stale" : ""}`}>
      {panels.map((panel) => (
        <PanelFrame key={panel.name} panel={panel} answer={answer} view={view} />
      ))}
    </div>
  );
}

export function PanelFrame({ panel: { name, title, columns, height, isBare, alert, roots, fragment, View: Contents }, answer, view }: { panel: Panel; answer: Answered; view: View }) {
  const data = answer.data;
  const mayDecide = useMayDecide();
  const missing = roots.filter((root) => data?.[root] === null || data?.[root] === undefined);
  return (
    <section className={`panel columns-${columns} ${isBare ? "bare" : ""}`} aria-labelledby={`panel-${name}`} data-testid={`panel-${name}`} aria-busy={data === null || answer.isStale}>
      <header className="panel-head">
        <h2 id={`panel-${name}`}>{title}</h2>
        {alert && mayDecide && (
          <Link className="quiet" href={view.link("/alerts/new", alert)}>
            Alert me<span className="hidden"> on {title}</span>
          </Link>
        )}
        <QueryLink query={queryOf("Panel", [fragment])} variables={variablesOf(fragment, view)} label={title} />
      </header>
      {data === null && answer.problems.length === 0 && (isBare ? <LoadingCards height={height} /> : <Loading height={height} />)}
      {(data !== null || answer.problems.length > 0) && missing.length > 0 && <Failed problems={answer.problems} roots={roots} />}
      {data !== null && missing.length === 0 && (
        <Boundary what="This panel" of={data}>
          <Contents data={data as never} view={view} />
        </Boundary>
      )}
    </section>
  );
}

export function Loading({ height }: { height?: number | undefined }) {
  return (
    <div className="loading" role="status" style={{ minHeight: height }}>
      <span className="hidden">Loading</span>
    </div>
  );
}

const CARDS = 6; // in a row of figures

function LoadingCards({ height }: { height: number | undefined }) {
  return (
    <div className="cards" role="status" aria-label="Loading">
      {Array.from({ length: CARDS }, (_, index) => (
        <div key={index} className="loading" style={{ minHeight: height }} />
      ))}
    </div>
  );
}

function Failed({ problems, roots }: { problems: Problem[]; roots: readonly string[] }) {
  const own = problems.find(({ path }) => path === undefined || roots.includes(String(path[0])));
  return (
    <p className="failed" role="alert">
      This panel could not be loaded. {own?.message}
    </p>
  );
}

export function Empty({ children }: { children: ReactNode }) {
  return <p className="empty">{children}</p>;
}
