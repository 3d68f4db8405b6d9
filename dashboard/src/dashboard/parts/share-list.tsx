// Groups of a total, largest first: a name, a bar as long as its share, and a figure.
import type { GroupKind } from "../../../generated/graphql";
import { Link } from "../address/link";
import { count, exact, percent } from "../format/numbers";
import { groupName } from "../format/words";
import { Empty } from "../panels/panel";

export type Share = {
  name: string;
  share: number;
  text: string;
  title?: string;
  note?: string | undefined;
  noteTone?: string | undefined;
  href?: string | undefined;
};

/** `empty` is said where there are none. */
export function ShareList({ label, shares, tone, empty }: { label: string; shares: Share[]; tone: string; empty?: string }) {
  if (shares.length === 0 && empty !== undefined) return <Empty>{empty}</Empty>;
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

type Group = { kind: GroupKind; name: string | null; attempts: number; share: number };

/** The groups that deployments fell into. Only named ones get a bar, unless `more` says otherwise of a group. */
export function deploymentShares<One extends Group>(groups: One[] | null, noun: string, more: (group: One) => Partial<Share>): Share[] {
  return (groups ?? [])
    .filter(({ attempts }) => attempts > 0)
    .map((group) => ({
      name: groupName(group, noun),
      share: group.kind === "NAMED" ? group.share : 0,
      text: count(group.attempts),
      title: `${exact(group.attempts)} deployments, ${percent(group.share)}`,
      ...more(group),
    }));
}
