// The pages about alerts, beside each other.
import { Link } from "../address/link";
import { useAddress } from "../address/location";
import type { View } from "../address/view";
import { useMayDecide } from "./acting";

const TABS = [
  { path: "/alerts", label: "Rules" },
  { path: "/alerts/silences", label: "Silences" },
  { path: "/alerts/channels", label: "Channels", isForDeciding: true },
];

export function AlertTabs({ view }: { view: View }) {
  const { path } = useAddress();
  const mayDecide = useMayDecide();
  return (
    <nav className="tabs" aria-label="About alerts">
      {TABS.filter(({ isForDeciding }) => mayDecide || !isForDeciding).map((tab) => (
        <Link key={tab.path} href={view.link(tab.path)} aria-current={path === tab.path ? "page" : undefined}>
          {tab.label}
        </Link>
      ))}
    </nav>
  );
}
