// The choice of one status, as links with how many there are of each.
import type { View } from "../address/view";
import { count } from "../format/numbers";
import type { Word } from "../format/words";

export type Tab = { value: string; label: string; count?: number | undefined };

export function Tabs({ label, tabs, chosen, onChoose }: { label: string; tabs: Tab[]; chosen: string; onChoose: (value: string) => void }) {
  return (
    <div className="tabs" role="group" aria-label={label}>
      {tabs.map((tab) => (
        <button key={tab.value} type="button" aria-pressed={tab.value === chosen} onClick={() => onChoose(tab.value)} data-testid={`tab-${tab.value || "all"}`}>
          {tab.label}
          {tab.count !== undefined && <span className="tab-count">{count(tab.count)}</span>}
        </button>
      ))}
    </div>
  );
}

/** The status that the address names; null if it names none of them. */
export function statusOf<Status extends string>(view: View, words: Record<Status, Word>): Status | null {
  const name = view.value("status").toUpperCase();
  return name in words ? (name as Status) : null;
}

/** A tab for each of these statuses, with how many there are of it. */
export function tabsOf<Status extends string>(words: Record<Status, Word>, counts: Record<Status, number | undefined>): Tab[] {
  return (Object.keys(counts) as Status[]).map((status) => ({ value: status.toLowerCase(), label: words[status].text, count: counts[status] }));
}
