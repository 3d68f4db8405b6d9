// The choice of one status, as links with how many there are of each.
import { count } from "../format/numbers";

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
