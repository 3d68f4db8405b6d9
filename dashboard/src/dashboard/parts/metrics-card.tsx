// A figure with its name, its change against the period before and a small line.
import type { View } from "../address/view";
import { Spark } from "../charts/spark";
import { change, type Format, points } from "../format/numbers";

type Props = {
  name: string;
  value: number | null | undefined;
  previous: number | null | undefined;
  format: Format;
  /** The exact value, to point at. */
  exactly?: string;
  /** Which direction is good; none if neither is. */
  better?: "up" | "down";
  tone: string;
  points: (number | null)[];
  view: View;
  /** Whether the difference is told in points of a percentage. */
  isRate?: boolean;
};

export function MetricsCard({ name, value, previous, format, exactly, better, tone, points, view, isRate }: Props) {
  return (
    <div className="panel card" role="group" aria-label={name} data-testid={`card-${name.toLowerCase().replaceAll(" ", "-")}`}>
      <h2>{name}</h2>
      <p className="figure" title={exactly ?? format(value)}>
        {format(value)}
      </p>
      <Difference {...{ value, previous, format, better, view, isRate }} />
      <Spark values={points} tone={tone} />
    </div>
  );
}

function Difference({ value, previous, format, better, view, isRate }: Pick<Props, "value" | "previous" | "format" | "better" | "view" | "isRate">) {
  const { compareLabel, compareShort } = view;
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
