// Where builds spend their time.
import { graphql, type PhasesFragment } from "../../../generated/graphql";
import { count, duration, exactDuration, percent } from "../format/numbers";
import { groupName } from "../format/words";
import { type Column, Table } from "../parts/table";
import { Empty, panel } from "./panel";

const fragment = graphql(`
  fragment Phases on Query {
    buildPhaseStats(filter: $phaseFilter, range: $range, timeZone: $zone) {
      byPhase(first: 10) { kind name runs failureRate durationP50Ms durationP95Ms }
    }
  }
`);

export const phases = panel({
  name: "phases",
  title: "Where builds spend their time",
  columns: 6,
  alert: { measure: "BUILD_PHASE_DURATION_P95_MS", by: "phase" },
  fragment,
  roots: ["buildPhaseStats"],
  View({ data, view }) {
    const rows = (data.buildPhaseStats.byPhase ?? []).filter(({ runs }) => runs > 0);
    if (rows.length === 0) return <Empty>No build told of its phases in this time.</Empty>;
    return <Table label="Phases" columns={COLUMNS} rows={rows} keyOf={({ kind, name }) => name ?? kind} view={view} />;
  },
});

type Phase = NonNullable<NonNullable<PhasesFragment["buildPhaseStats"]>["byPhase"]>[number];

const COLUMNS: Column<Phase>[] = [
  { title: "Phase", cell: (phase) => groupName(phase, "phase") },
  { title: "Runs", isNumber: true, cell: ({ runs }) => count(runs) },
  { title: "Failed", isNumber: true, cell: ({ failureRate }) => percent(failureRate) },
  { title: "Median", isNumber: true, cell: (row) => duration(row.durationP50Ms), exactly: (row) => exactDuration(row.durationP50Ms) },
  { title: "95th percentile", isNumber: true, cell: (row) => duration(row.durationP95Ms), exactly: (row) => exactDuration(row.durationP95Ms) },
];
