// How many of something took how long: a bar for each range of durations, shortest first.
import { duration, exact, percent } from "../format/numbers";
import { Empty } from "../panels/panel";

type Range = { fromMs: number; toMs: number | null; count: number };

type Stats = {
  distribution: Range[] | null;
  durationP50Ms: number | null;
  durationP95Ms: number | null;
  durationP99Ms: number | null;
};

/** `empty` is said where nothing finished. */
export function Histogram({ label, stats, empty }: { label: string; stats: Stats; empty: string }) {
  const { distribution, durationP50Ms, durationP95Ms, durationP99Ms } = stats;
  const ranges = distribution ?? [];
  if (ranges.length === 0) return <Empty>{empty}</Empty>;
  const all = ranges.reduce((sum, { count }) => sum + count, 0);
  const largest = Math.max(...ranges.map(({ count }) => count), 1);
  const [first, last] = [ranges[0], ranges.at(-1)];
  return (
    <div className="histogram">
      <ol aria-label={label}>
        {ranges.map(({ fromMs, toMs, count }) => {
          const text = `${spanText(fromMs, toMs)}: ${exact(count)}, ${percent(count / all)}`;
          return (
            <li key={fromMs} title={text}>
              <span className="hidden">{text}</span>
              <svg className="tone-info" viewBox="0 0 1 100" preserveAspectRatio="none" aria-hidden="true">
                <rect className="fill" y={100 - (100 * count) / largest} width="1" height={(100 * count) / largest} />
              </svg>
            </li>
          );
        })}
      </ol>
      <p className="ends">
        <span>{duration(first?.fromMs)}</span>
        <span>{last?.toMs === null ? `over ${duration(last.fromMs)}` : duration(last?.toMs)}</span>
      </p>
      <p>
        Half took up to <strong>{duration(durationP50Ms)}</strong>, 95% up to <strong>{duration(durationP95Ms)}</strong>, 99% up to{" "}
        <strong>{duration(durationP99Ms)}</strong>.
      </p>
    </div>
  );
}

function spanText(fromMs: number, toMs: number | null): string {
  return toMs === null ? `over ${duration(fromMs)}` : `${duration(fromMs)} to ${duration(toMs)}`;
}
