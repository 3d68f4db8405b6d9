// The keys with which Sentry's SDKs send events of a project, and what of that was dropped.
import { type FormEvent, useState } from "react";

import { graphql, type ProjectKeysQuery } from "../../../generated/graphql";
import { useView } from "../address/view";
import { useAnalytics } from "../api/use-analytics";
import { exact } from "../format/numbers";
import { lower } from "../format/words";
import { Empty } from "../panels/panel";
import { useMutation } from "../parts/acting";
import { Badge } from "../parts/badge";
import { ConfirmButton } from "../parts/confirm";
import { Copyable } from "../parts/copyable";
import { Fault, Field } from "../parts/form";
import { Heading } from "../parts/heading";
import { ProjectFilter, projectOf } from "../parts/of-project";
import { Section } from "../parts/section";
import { SettingsTabs } from "../parts/settings-tabs";
import { type Column, Table } from "../parts/table";
import { Ago } from "../parts/time";
import { Waiting } from "../parts/waiting";

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
    <>
      <Heading title="Project keys" answer={answer} zone={view.zone} />
      <div className="filters">
        <SettingsTabs view={view} />
        <ProjectFilter view={view} projects={(viewer?.projects?.nodes ?? []).map(({ slug }) => slug)} />
      </div>
      <div className={`panels ${answer.isStale ? "stale" : ""}`}>
        {keys && <NewKey project={view.slug} onDone={answer.reload} />}
        <Section title="Keys of SDKs" name="keys">
          <Fault text={fault} />
          {!keys && <Waiting answer={answer} />}
          {view.slug === "" && answer.data !== null && <Empty>Choose a project to see its keys.</Empty>}
          {keys?.length === 0 && <Empty>There is no key yet. With one, Sentry’s SDKs send errors and transactions here.</Empty>}
          {keys && keys.length > 0 && <Table label="Project keys" columns={columns} rows={keys} keyOf={({ id }) => id} view={view} />}
        </Section>
        {dropped && dropped.length > 0 && (
          <Section title="Sent in the last 7 days and not stored" name="dropped">
            <Table label="Dropped events" columns={DROPPED} rows={dropped} keyOf={(one) => Object.values(one).join(" ")} view={view} />
          </Section>
        )}
      </div>
    </>
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

function NewKey({ project, onDone }: { project: string; onDone: () => void }) {
  const [name, setName] = useState("");
  const [perMinute, setPerMinute] = useState("6000");
  const [origins, setOrigins] = useState("");
  const { run, isBusy, fault } = useMutation(onDone);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const input = { project, name: name.trim(), eventsPerMinute: Number(perMinute), origins: origins.split(/[\s,]+/).filter(Boolean) };
    if ((await run(CREATE, { input })) !== null) setName("");
  };
  return (
    <Section title={`New key of ${project}`} name="make">
      <form className="form" onSubmit={submit}>
        <Field name="Name" hint="What it is for.">
          <input required maxLength={100} value={name} onChange={(event) => setName(event.target.value)} />
        </Field>
        <Field name="Events a minute, at most">
          <input type="number" required min={1} max={1_000_000} value={perMinute} onChange={(event) => setPerMinute(event.target.value)} />
        </Field>
        <Field name="Origins of pages" hint="Such as https://shop.example.com; none for any.">
          <input value={origins} onChange={(event) => setOrigins(event.target.value)} />
        </Field>
        <div className="whole buttons">
          <button type="submit" className="primary" disabled={isBusy}>
            Make the key
          </button>
          <Fault text={fault} />
        </div>
      </form>
    </Section>
  );
}
