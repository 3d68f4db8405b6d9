// The function invocations that run now, as they come and go.
import { graphql } from "../../../generated/graphql";
import { Link } from "../address/link";
import type { View } from "../address/view";
import { useAnalytics } from "../api/use-analytics";
import { Empty } from "../panels/panel";
import { Section } from "./section";
import { Table } from "./table";
import { Ago } from "./time";
import { Waiting } from "./waiting";

const RUNNING = graphql(`
  query Running($filter: FunctionFilter) {
    runningInvocations(filter: $filter, first: 100) {
      id externalId startedAt
      project { slug }
      function { name }
      environment { name }
    }
  }
`);

const CHANGED = graphql(`
  subscription RunningChanged($filter: FunctionFilter) {
    runningInvocationsChanged(filter: $filter, first: 100) { id }
  }
`);

const MOST = 100;

export function Running({ view }: { view: View }) {
  const { functionFilter: filter } = view;
  const answer = useAnalytics(RUNNING, { filter }, [{ text: CHANGED, variables: { filter } }]);
  const found = answer.data?.runningInvocations;
  return (
    <Section title={titleOf(found?.length)} name="running">
      <Waiting answer={answer} />
      {found?.length === 0 && <Empty>Nothing runs at the moment.</Empty>}
      {found && found.length > 0 && (
        <Table
          label="Running now"
          rows={found}
          keyOf={({ id }) => String(id)}
          view={view}
          columns={[
            { title: "Invocation", cell: ({ id, externalId }) => externalId ?? String(id) },
            {
              title: "Function",
              cell: (row) => row.function && <Link href={view.link(`/functions/${encodeURIComponent(row.function.name)}`)}>{row.function.name}</Link>,
            },
            { title: "Project", cell: ({ project: { slug } }) => <Link href={view.link(`/projects/${slug}`)}>{slug}</Link> },
            { title: "Environment", cell: ({ environment }) => environment?.name },
            { title: "Started", isNumber: true, cell: ({ startedAt }, { zone }) => <Ago at={startedAt} zone={zone} /> },
          ]}
        />
      )}
    </Section>
  );
}

function titleOf(number: number | undefined): string {
  if (number === undefined) return "Running now";
  return number < MOST ? `Running now: ${number}` : `Running now: ${MOST} or more`;
}
