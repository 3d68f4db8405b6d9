// The pages of the settings, beside each other; only those that the reader's role may see.
import { useEffect, useRef } from "react";

import { Link } from "../address/link";
import { useAddress } from "../address/location";
import type { View } from "../address/view";
import { useRoles } from "./acting";

const MANAGING = ["maintainer", "admin"];
const TABS: { path: string; label: string; roles?: string[] }[] = [
  { path: "/settings", label: "You" },
  { path: "/settings/keys", label: "Project keys", roles: MANAGING },
  { path: "/settings/secrets", label: "Secrets", roles: MANAGING },
  { path: "/settings/source-maps", label: "Source maps", roles: MANAGING },
  { path: "/settings/members", label: "Members", roles: MANAGING },
  { path: "/settings/tokens", label: "Service tokens", roles: ["admin"] },
  { path: "/settings/limits", label: "Rate limits", roles: ["admin"] },
  { path: "/settings/erasure", label: "Erase a user", roles: ["admin"] },
  { path: "/settings/audit", label: "Audit log", roles: ["admin"] },
];

export function SettingsTabs({ view }: { view: View }) {
  const { path } = useAddress();
  const roles = useRoles();
  const nav = useRef<HTMLElement>(null);
  // A phone shows a part of them at a time.
  useEffect(() => {
    nav.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
  }, [path]);
  const offered = TABS.filter((tab) => tab.roles === undefined || tab.roles.some((role) => roles.includes(role)));
  return (
    <nav ref={nav} className="tabs" aria-label="Settings">
      {offered.map((tab) => (
        <Link key={tab.path} href={view.link(tab.path)} aria-current={path === tab.path || path.startsWith(`${tab.path}/`) && tab.path !== "/settings" ? "page" : undefined}>
          {tab.label}
        </Link>
      ))}
    </nav>
  );
}
