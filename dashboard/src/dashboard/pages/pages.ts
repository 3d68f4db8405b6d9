// The pages, each loaded when it is shown, and where they stand in the navigation.
import { type ComponentType, lazy } from "react";

import OverviewPage from "./overview";

type Page = {
  /** The path; `:id` stands for one part of it. gateway/routes.py lists the same paths. */
  path: string;
  title: string;
  Page: ComponentType<{ id: string }>;
  isInMenu: boolean;
};

export const PAGES: Page[] = [
  { path: "/", title: "Overview", Page: OverviewPage, isInMenu: true },
  { path: "/deployments", title: "Deployments", Page: lazy(() => import("./deployments")), isInMenu: true },
  { path: "/deployments/:id", title: "Deployment", Page: lazy(() => import("./deployment")), isInMenu: false },
  { path: "/errors", title: "Errors", Page: lazy(() => import("./errors")), isInMenu: true },
  { path: "/errors/:id", title: "Error", Page: lazy(() => import("./error")), isInMenu: false },
  { path: "/alerts", title: "Alerts", Page: lazy(() => import("./alerts")), isInMenu: true },
  { path: "/alerts/new", title: "New alert", Page: lazy(() => import("./new-alert")), isInMenu: false },
  { path: "/alerts/:id", title: "Alert", Page: lazy(() => import("./alert")), isInMenu: false },
  { path: "/explorer", title: "Explorer", Page: lazy(() => import("./explorer")), isInMenu: true },
];

/** The page at a path, with the id in it. */
export function pageAt(path: string): { page: Page; id: string } | null {
  for (const page of PAGES) {
    const match = new RegExp(`^${page.path.replace(":id", "([^/]+)")}/?$`).exec(path);
    if (match) return { page, id: decodeURIComponent(match[1] ?? "") };
  }
  return null;
}
