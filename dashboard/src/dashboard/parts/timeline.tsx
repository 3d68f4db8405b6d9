// Spans of time below each other, drawn to one scale.
import { duration } from "../format/numbers";
import { precise } from "../format/times";

type Span = { name: string; start: string | null; end: string | null; isBad: boolean };

export function Timeline({ spans, zone }: { spans: Span[]; zone: string }) {
  const known = spans
    .flatMap(({ name, start, end, isBad }) => (start && end ? [{ name, start: Date.parse(start), end: Date.parse(end), isBad }] : []))
    .filter(({ start, end }) => end > start)
    .sort((one, other) => one.start - other.start);
  if (known.length === 0) return null;
  const first = Math.min(...known.map(({ start }) => start));
  const length = Math.max(...known.map(({ end }) => end)) - first;
  return (
    <ul className="timeline" aria-label="How long each part took">
      {known.map(({ name, start, end, isBad }) => (
        <li key={`${name} ${start}`} title={`${precise(start, zone)} – ${precise(end, zone)}`}>
          <span>{name}</span>
          <svg className={`bar tone-${isBad ? "bad" : "info"}`} viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">
            <rect className="track" width="1000" height="10" />
            <rect className="fill" x={(1000 * (start - first)) / length} width={Math.max(4, (1000 * (end - start)) / length)} height="10" />
          </svg>
          <span className="number">{duration(end - start)}</span>
        </li>
      ))}
    </ul>
  );
}
