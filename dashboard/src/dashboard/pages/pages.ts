// The pages, each loaded when it is shown, and where they stand in the navigation.
import { type ComponentType, lazy } from "react";

import OverviewPage from "./overview";

/** The headings of the navigation, in their order. */
export const GROUPS = ["", "Activity", "Adoption", "Problems", "Analysis", "Gateway"] as const;

type Page = {
  /** The path; `:id` stands for one part of it. gateway/routes.py lists the same paths. */
  path: string;
  title: string;
  Page: ComponentType<{ id: string }>;
  /** The heading it stands under in the navigation; without one, only other pages link to it. */
  group?: (typeof GROUPS)[number];
  /** The roles that are offered it; all if left out. */
  roles?: readonly string[];
};

export const PAGES: Page[] = [
  { path: "/", title: "Overview", Page: OverviewPage, group: "" },
  { path: "/deployments", title: "Deployments", Page: lazy(() => import("./deployments")), group: "Activity" },
  { path: "/deployments/:id", title: "Deployment", Page: lazy(() => import("./deployment")) },
  { path: "/errors", title: "Errors", Page: lazy(() => import("./errors")), group: "Problems" },
  { path: "/errors/:id", title: "Error", Page: lazy(() => import("./error")) },
  { path: "/alerts", title: "Alerts", Page: lazy(() => import("./alerts")), group: "Problems" },
  { path: "/alerts/new", title: "New alert", Page: lazy(() => import("./new-alert")) },
  { path: "/alerts/silences", title: "Silences", Page: lazy(() => import("./silences")) },
  { path: "/alerts/channels", title: "Channels", Page: lazy(() => import("./channels")) },
  { path: "/alerts/channels/:id", title: "Channel", Page: lazy(() => import("./channel")) },
  { path: "/alerts/:id/edit", title: "Change an alert", Page: lazy(() => import("./edit-alert")) },
  { path: "/alerts/:id", title: "Alert", Page: lazy(() => import("./alert")) },
  { path: "/projects/:id", title: "Project", Page: lazy(() => import("./project")) },
  { path: "/explorer", title: "Explorer", Page: lazy(() => import("./explorer")), group: "Analysis" },
];

/** The page at a path, with the id in it. */
export function pageAt(path: string): { page: Page; id: string } | null {
  for (const page of PAGES) {
    const match = new RegExp(`^${page.path.replace(":id", "([^/]+)")}/?$`).exec(path);
    if (match) return { page, id: decodeURIComponent(match[1] ?? "") };
  }
  return null;
}
