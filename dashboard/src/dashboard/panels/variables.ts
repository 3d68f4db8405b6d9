// The variables of every panel's fragment, with their GraphQL types; a page declares those it uses.
export const PANEL_VARIABLES = {
  filter: "DeploymentFilter",
  everywhere: "DeploymentFilter",
  errorFilter: "ErrorFilter",
  buildFilter: "BuildFilter",
  phaseFilter: "BuildPhaseFilter",
  functionFilter: "FunctionFilter",
  apiFilter: "ApiFilter",
  range: "TimeRange!",
  zone: "TimeZone!",
  daily: "Interval!",
  compare: "Comparison!",
  slug: "String!",
} as const;
