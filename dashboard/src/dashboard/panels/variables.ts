// The variables of every panel's fragment, with their GraphQL types; a page declares those it uses.
export const PANEL_VARIABLES = {
  filter: "DeploymentFilter",
  errorFilter: "ErrorFilter",
  range: "TimeRange!",
  zone: "TimeZone!",
  compare: "Comparison!",
  slug: "String!",
} as const;
