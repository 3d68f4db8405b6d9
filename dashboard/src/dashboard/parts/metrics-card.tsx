// A figure with its name, its change against the period before and a small line.
import type { View } from "../address/view";
import { Spark } from "../charts/spark";
import { change, duration, exact, exactDuration, type Format, percent, points } from "../format/numbers";

type Props = {
  name: string;
  value: number | null | undefined;
  previous: number | null | undefined;
  format: Format;
  /** The exact value, to point at, where it says more than the number. */
  exactly?: string | undefined;
  /** Which direction is good; none if neither is. */
  better?: "up" | "down";
  tone: string;
  points: (number | null)[];
  view: View;
};

type Card<Part, Whole> = Pick<Props, "name" | "format" | "better" | "tone"> & {
  /** Finds the figure in the whole range, in the period before and in each bucket. */
  of: (part: Part) => number | null;
  exactly?: (whole: Whole) => string;
};

type Stats<Part> = Part & { previous: Part | null; series: Part[] | null };

/** A card for figures of these stats. */
export type CardOf<Whole extends { series: unknown[] | null }> = Card<NonNullable<Whole["series"]>[number], Whole>;

/** A card for each figure; without a value if the stats could not be loaded, or the reader may not see them. */
export function Cards<Part, Whole extends Stats<Part>>({ cards, stats, view }: { cards: Card<Part, Whole>[]; stats: Whole | null | undefined; view: View }) {
  return cards.map(({ of, exactly, ...card }) => (
    <MetricsCard
      key={card.name}
      {...card}
      value={stats && of(stats)}
      previous={stats?.previous && of(stats.previous)}
      exactly={stats && exactly ? exactly(stats) : undefined}
      points={(stats?.series ?? []).map(of)}
      view={view}
    />
  ));
}

export function MetricsCard({ name, value, previous, format, exactly, better, tone, points, view }: Props) {
  return (
    <div className="panel card" role="group" aria-label={name} data-testid={`card-${name.toLowerCase().replaceAll(" ", "-")}`}>
      <h2>{name}</h2>
      <p className="figure" title={exactly ?? (format === duration ? exactDuration : exact)(value)}>
        {format(value)}
      </p>
      <Difference {...{ value, previous, format, better, view }} />
      <Spark values={points} tone={tone} />
    </div>
  );
}

/** The change of a count in percent, that of a rate in percentage points. */
function Difference({ value, previous, format, better, view }: Pick<Props, "value" | "previous" | "format" | "better" | "view">) {
  const { compareLabel, compareShort } = view;
  const isRate = format === percent;
  if (value == null || previous == null || (!isRate && previous === 0)) {
    return (
      <p className="difference" title={`nothing ${compareLabel}`}>
        nothing {compareShort}
      </p>
    );
  }
  const by = isRate ? value - previous : (value - previous) / previous;
  const text = isRate ? `${points(100 * by)} pts` : change(by);
  const isFlat = Math.abs(by) < 0.005;
  const isGood = better === undefined || isFlat ? undefined : by > 0 === (better === "up");
  const tone = isGood === undefined ? "" : isGood ? "is-good" : "is-bad";
  return (
    <p className={`difference ${tone}`} title={`${format(previous)} ${compareLabel}`}>
      <span aria-hidden="true">{isFlat ? "→" : by > 0 ? "↑" : "↓"}</span> {isFlat ? "as" : text}
      <span className="with"> {isFlat ? compareShort : `vs ${compareShort}`}</span>
      {isGood !== undefined && <span className="hidden">{isGood ? ", better" : ", worse"}</span>}
    </p>
  );
}
