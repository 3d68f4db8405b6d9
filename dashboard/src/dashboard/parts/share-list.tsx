// Groups of a total, largest first: a name, a bar as long as its share, and a figure.
import { Link } from "../address/link";

export type Share = {
  name: string;
  share: number;
  text: string;
  title?: string;
  note?: string | undefined;
  noteTone?: string | undefined;
  href?: string | undefined;
};

export function ShareList({ label, shares, tone }: { label: string; shares: Share[]; tone: string }) {
  const largest = Math.max(...shares.map(({ share }) => share), 1e-9);
  return (
    <ul className="shares" aria-label={label}>
      {shares.map(({ name, share, text, title, note, noteTone, href }) => (
        <li key={href ?? name}>
          <span className="name">{href ? <Link href={href}>{name}</Link> : name}</span>
          <span className="number" title={title}>
            {text}
          </span>
          {note !== undefined && <span className={`note ${noteTone ?? ""}`}>{note}</span>}
          <svg className={`bar tone-${tone}`} viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
            <rect className="track" width="100" height="4" />
            <rect className="fill" width={(100 * share) / largest} height="4" />
          </svg>
        </li>
      ))}
    </ul>
  );
}
