// The keys with which Sentry's SDKs send events of a project, and what of that was dropped.
import { graphql, type ProjectKeysQuery } from "../../../generated/graphql";
import { useView } from "../address/view";
import { useAnalytics } from "../api/use-analytics";
import { exact } from "../format/numbers";
import { lower } from "../format/words";
import { useMutation } from "../parts/acting";
import { Badge } from "../parts/badge";
import { ConfirmButton } from "../parts/confirm";
import type { Control } from "../parts/controls";
import { Copyable } from "../parts/copyable";
import { ListSection } from "../parts/list-section";
import { MutationForm } from "../parts/mutation-form";
import { Section } from "../parts/section";
import { projectOf, SettingsPage } from "../parts/settings-page";
import { type Column, Table } from "../parts/table";
import { Ago } from "../parts/time";

const QUERY = graphql(`
  query ProjectKeys($project: String!, $hasProject: Boolean!) {
    projectKeys(project: $project) @include(if: $hasProject) {
      id name eventsPerMinute dsn createdBy createdAt lastUsedAt revokedAt revokedBy
    }
    droppedEvents(project: $project, days: 7) @include(if: $hasProject) { day projectKey category reason events }
    viewer { projects(first: 100) { nodes { slug } } }
  }
`);
const CREATE = graphql(`
  mutation NewProjectKey($input: CreateProjectKeyInput!) {
    done: createProjectKey(input: $input) { projectKey { id } userErrors { message } }
  }
`);
const REVOKE = graphql(`
  mutation RevokeProjectKey($id: ID!) {
    done: revokeProjectKey(input: { id: $id }) { userErrors { message } }
  }
`);

const CONTROLS: Control<"name" | "eventsPerMinute" | "origins">[] = [
  { name: "name", label: "Name", hint: "What it is for.", most: 100 },
  { name: "eventsPerMinute", label: "Events a minute, at most", type: "number", most: 1_000_000 },
  { name: "origins", label: "Origins of pages", hint: "Such as https://shop.example.com; none for any.", type: "words" },
];

type Key = NonNullable<ProjectKeysQuery["projectKeys"]>[number];
type Dropped = NonNullable<ProjectKeysQuery["droppedEvents"]>[number];

export default function KeysPage() {
  const view = useView();
  const answer = useAnalytics(QUERY, projectOf(view));
  const { projectKeys: keys, droppedEvents: dropped, viewer } = answer.data ?? {};
  const { run, isBusy, fault } = useMutation(answer.reload);
  const columns: Column<Key>[] = [
    ...COLUMNS,
    {
      title: "Revoke",
      cell: ({ id, name, revokedAt }) =>
        revokedAt === null && <ConfirmButton text="Revoke" question={`Revoke the key “${name}”? What still sends with it is refused, for good.`} isBusy={isBusy} onConfirm={() => void run(REVOKE, { id })} />,
    },
  ];
  return (
    <SettingsPage title="Project keys" view={view} answer={answer} viewer={viewer ?? null}>
      {keys && (
        <Section title={`New key of ${view.slug}`} name="make">
          <MutationForm mutation={CREATE} controls={CONTROLS} fixed={{ project: view.slug }} first={{ eventsPerMinute: "6000" }} submit="Make the key" onDone={answer.reload} />
        </Section>
      )}
      <ListSection
        title="Keys of SDKs"
        name="keys"
        label="Project keys"
        answer={answer}
        rows={keys}
        columns={columns}
        keyOf={({ id }) => id}
        view={view}
        empty="There is no key yet. With one, Sentry’s SDKs send errors and transactions here."
        fault={fault}
      />
      {dropped && dropped.length > 0 && (
        <Section title="Sent in the last 7 days and not stored" name="dropped">
          <Table label="Dropped events" columns={DROPPED} rows={dropped} keyOf={(one) => Object.values(one).join(" ")} view={view} />
        </Section>
      )}
    </SettingsPage>
  );
}

const COLUMNS: Column<Key>[] = [
  {
    title: "Key",
    cell: ({ name, dsn, id }) => (
      <>
        {name}
        <span className="sub">
          <Copyable label={`the DSN of ${name}`} text={dsn ?? id} />
        </span>
      </>
    ),
  },
  { title: "State", cell: ({ revokedAt, revokedBy }) => <Badge word={revokedAt === null ? { text: "Valid", tone: "good" } : { text: `Revoked by ${revokedBy}`, tone: "quiet" }} /> },
  { title: "Events a minute", isNumber: true, cell: ({ eventsPerMinute }) => exact(eventsPerMinute) },
  { title: "Made", cell: ({ createdAt, createdBy }, { zone }) => <><Ago at={createdAt} zone={zone} /> by {createdBy}</> },
  { title: "Last used", isNumber: true, cell: ({ lastUsedAt }, { zone }) => (lastUsedAt === null ? "never" : <Ago at={lastUsedAt} zone={zone} />) },
];

const DROPPED: Column<Dropped>[] = [
  { title: "Day", cell: ({ day }) => day },
  { title: "What", cell: ({ category }) => lower(category) },
  { title: "Why", cell: ({ reason }) => lower(reason) },
  { title: "Key", cell: ({ projectKey }) => <code>{projectKey.slice(0, 8)}</code> },
  { title: "Events", isNumber: true, cell: ({ events }) => exact(events) },
];
