// The choice of a status, or of several, as buttons with how many there are of each.
import type { View } from "../address/view";
import { count } from "../format/numbers";
import type { Word } from "../format/words";

export type Tab = { value: string; label: string; count?: number | undefined };

type Props = { label: string; tabs: Tab[]; chosen: string; onChoose: (value: string) => void };

export function Tabs({ chosen, onChoose, ...rest }: Props) {
  return <TabButtons {...rest} isChosen={(value) => value === chosen} onPress={onChoose} />;
}

type ManyProps = { label: string; tabs: Tab[]; chosen: string[]; onChoose: (values: string[]) => void };

/** Any number at once; the tab "" stands for none of them. */
export function ManyTabs({ chosen, onChoose, ...rest }: ManyProps) {
  const isChosen = (value: string) => (value === "" ? chosen.length === 0 : chosen.includes(value));
  const press = (value: string) => {
    if (value === "") onChoose([]);
    else onChoose(isChosen(value) ? chosen.filter((one) => one !== value) : [...chosen, value]);
  };
  return <TabButtons {...rest} isChosen={isChosen} onPress={press} />;
}

type ButtonProps = { label: string; tabs: Tab[]; isChosen: (value: string) => boolean; onPress: (value: string) => void };

function TabButtons({ label, tabs, isChosen, onPress }: ButtonProps) {
  return (
    <div className="tabs" role="group" aria-label={label}>
      {tabs.map(({ value, label: text, count: number }) => (
        <button key={value} type="button" aria-pressed={isChosen(value)} onClick={() => onPress(value)} data-testid={`tab-${value || "all"}`}>
          {text}
          {number !== undefined && <span className="tab-count">{count(number)}</span>}
        </button>
      ))}
    </div>
  );
}

/** The statuses that the address names, or the usual ones if it names none; null stands for all. */
export function statusesOf<Status extends string>(view: View, words: Record<Status, Word>, usual: Status[] | null = null): Status[] | null {
  if (view.value("status") === "") return usual;
  const named = view.values("status").map((name) => name.toUpperCase());
  const known = named.filter((name): name is Status => name in words);
  return known.length > 0 ? known : null;
}

/** A tab for each status, with how many there are of it if that is known. */
export function tabsOf<Status extends string>(words: Record<Status, Word>, counts?: Record<Status, number | undefined>): Tab[] {
  return (Object.keys(counts ?? words) as Status[]).map((status) => ({ value: status.toLowerCase(), label: words[status].text, count: counts?.[status] }));
}

const COUNTS = { FAILED: "failed", ROLLED_BACK: "rolledBack", SUCCEEDED: "succeeded", CANCELLED: "cancelled", IN_PROGRESS: "inProgress", QUEUED: "queued" } as const;
type Counts = { [Name in (typeof COUNTS)[keyof typeof COUNTS]]?: number };

/** A tab for all attempts and one for each status, with how many there are of it. */
export function countedTabs(words: Record<string, Word>, stats: (Counts & { attempts: number }) | null | undefined): Tab[] {
  const counts = Object.entries(COUNTS).flatMap(([status, name]) => (status in words ? [[status, stats?.[name]]] : []));
  return [{ value: "", label: "All", count: stats?.attempts }, ...tabsOf(words, Object.fromEntries(counts))];
}
