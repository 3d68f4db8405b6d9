// The pages, each loaded when it is shown, and where they stand in the navigation.
import { type ComponentType, lazy } from "react";

import { isServed, type Part } from "../api/served";
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
  /** The part it belongs to, if that is not the dashboard. */
  part?: Part;
};

const groups = () => import("./groups");
const group = () => import("./group");

const ALL: Page[] = [
  { path: "/", title: "Overview", Page: OverviewPage, group: "" },
  { path: "/deployments", title: "Deployments", Page: lazy(() => import("./deployments")), group: "Activity" },
  { path: "/deployments/:id", title: "Deployment", Page: lazy(() => import("./deployment")) },
  { path: "/builds", title: "Builds", Page: lazy(() => import("./builds")), group: "Activity" },
  { path: "/builds/:id", title: "Build", Page: lazy(() => import("./build")) },
  { path: "/functions", title: "Functions", Page: part(groups, "FunctionsPage"), group: "Activity" },
  { path: "/functions/:id", title: "Function", Page: part(group, "FunctionPage") },
  { path: "/endpoints", title: "API", Page: part(groups, "EndpointsPage"), group: "Activity" },
  { path: "/endpoints/:id", title: "Endpoint", Page: part(group, "EndpointPage") },
  { path: "/networks", title: "Networks", Page: part(groups, "NetworksPage"), group: "Adoption" },
  { path: "/networks/:id", title: "Network", Page: part(group, "NetworkPage") },
  { path: "/templates", title: "Templates", Page: part(groups, "TemplatesPage"), group: "Adoption" },
  { path: "/templates/:id", title: "Template", Page: part(group, "TemplatePage") },
  { path: "/telemetry", title: "Telemetry", Page: lazy(() => import("./telemetry")), group: "Adoption", roles: ["admin"] },
  { path: "/errors", title: "Errors", Page: lazy(() => import("./errors")), group: "Problems" },
  { path: "/errors/:id", title: "Error", Page: lazy(() => import("./error")) },
  { path: "/alerts", title: "Alerts", Page: lazy(() => import("./alerts")), group: "Problems" },
  { path: "/alerts/new", title: "New alert", Page: lazy(() => import("./new-alert")) },
  { path: "/alerts/silences", title: "Silences", Page: lazy(() => import("./silences")) },
  { path: "/alerts/channels", title: "Channels", Page: lazy(() => import("./channels")) },
  { path: "/alerts/channels/:id", title: "Channel", Page: lazy(() => import("./channel")) },
  { path: "/alerts/:id/edit", title: "Change an alert", Page: lazy(() => import("./edit-alert")) },
  { path: "/alerts/:id", title: "Alert", Page: lazy(() => import("./alert")) },
  { path: "/logs", title: "Logs", Page: lazy(() => import("./logs")), group: "Problems" },
  { path: "/projects/:id", title: "Project", Page: lazy(() => import("./project")) },
  { path: "/explorer", title: "Explorer", Page: lazy(() => import("./explorer")), group: "Analysis" },
  { path: "/measures", title: "Measures", Page: lazy(() => import("./measures")), group: "Analysis" },
  { path: "/graphql", title: "GraphiQL", Page: lazy(() => import("../graphiql/page")), group: "Analysis", part: "graphiql" },
  { path: "/settings", title: "Settings", Page: lazy(() => import("./settings")), group: "Gateway" },
  { path: "/settings/keys", title: "Project keys", Page: lazy(() => import("./settings-keys")) },
  { path: "/settings/keys/:id", title: "Project key", Page: lazy(() => import("./settings-key")) },
  { path: "/settings/secrets", title: "Secrets", Page: lazy(() => import("./settings-secrets")) },
  { path: "/settings/source-maps", title: "Source maps", Page: lazy(() => import("./settings-source-maps")) },
  { path: "/settings/tokens", title: "Service tokens", Page: lazy(() => import("./settings-tokens")) },
  { path: "/settings/members", title: "Members", Page: lazy(() => import("./settings-members")) },
  { path: "/settings/limits", title: "Rate limits", Page: lazy(() => import("./settings-limits")) },
  { path: "/settings/erasure", title: "Erase a user", Page: lazy(() => import("./settings-erasure")) },
  { path: "/settings/audit", title: "Audit log", Page: lazy(() => import("./settings-audit")) },
];
const PAGES = ALL.filter(({ part = "dashboard" }) => isServed(part));

/** Where the name of the dashboard leads. */
export const HOME = PAGES[0]?.path ?? "/";

/** A page that a file exports under a name. */
function part<Name extends string>(file: () => Promise<Record<Name, ComponentType<{ id: string }>>>, name: Name) {
  return lazy(async () => ({ default: (await file())[name] }));
}

/** The pages of the navigation that somebody with these roles is offered. */
export function offeredPages(roles: string[]): Page[] {
  return PAGES.filter((page) => page.group !== undefined && isOffered(page, roles));
}

export function isOffered(page: Page, roles: string[]): boolean {
  return page.roles === undefined || page.roles.some((role) => roles.includes(role));
}

/** The page at a path, with the id in it. */
export function pageAt(path: string): { page: Page; id: string } | null {
  for (const page of PAGES) {
    const match = new RegExp(`^${page.path.replace(":id", "([^/]+)")}/?$`).exec(path);
    if (match) return { page, id: decodeURIComponent(match[1] ?? "") };
  }
  return null;
}
