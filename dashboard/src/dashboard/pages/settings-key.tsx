// One project key: its DSN with code for each SDK, its settings, and what was sent with it and not stored.
import { useState } from "react";

import { graphql } from "../../../generated/graphql";
import { Link } from "../address/link";
import { useView, type View } from "../address/view";
import { useAnalytics } from "../api/use-analytics";
import { exact } from "../format/numbers";
import { lower } from "../format/words";
import { useMutation } from "../parts/acting";
import { Badge } from "../parts/badge";
import { ConfirmButton } from "../parts/confirm";
import { valuesOf } from "../parts/controls";
import { Copyable } from "../parts/copyable";
import { Facts } from "../parts/facts";
import { Fault } from "../parts/form";
import { ListSection } from "../parts/list-section";
import { MutationForm } from "../parts/mutation-form";
import { Section } from "../parts/section";
import { projectOf, SettingsPage } from "../parts/settings-page";
import type { Column } from "../parts/table";
import { Tabs } from "../parts/tabs";
import { Moment } from "../parts/time";
import { Waiting } from "../parts/waiting";
import { CONTROLS, type Dropped, type Key, QUERY, stateOf } from "./settings-keys";

const UPDATE = graphql(`
  mutation UpdateProjectKey($input: UpdateProjectKeyInput!) {
    done: updateProjectKey(input: $input) { userErrors { message } }
  }
`);
const REVOKE = graphql(`
  mutation RevokeProjectKey($id: ID!) {
    done: revokeProjectKey(input: { id: $id }) { userErrors { message } }
  }
`);

export default function KeyPage({ id }: { id: string }) {
  const view = useView();
  const answer = useAnalytics(QUERY, projectOf(view));
  const { projectKeys, droppedEvents, viewer } = answer.data ?? {};
  const key = projectKeys?.find((one) => one.id === id);
  const title = key ? `Key “${key.name}”` : "Project key";
  return (
    <SettingsPage title={title} view={view} answer={answer} viewer={viewer ?? null}>
      {key === undefined ? (
        <Section title="Key" name="key">
          <Waiting answer={answer} missing="key in this project" />
        </Section>
      ) : (
        <>
          {key.revokedAt === null && <SetUp projectKey={key} />}
          <About projectKey={key} view={view} onDone={answer.reload} />
          {key.revokedAt === null && <Change projectKey={key} onDone={answer.reload} />}
          <ListSection
            title="Sent with it in the last 30 days and not stored"
            name="dropped"
            label="Dropped events"
            answer={answer}
            rows={droppedEvents?.filter(({ projectKey }) => projectKey === id)}
            columns={DROPPED}
            keyOf={(one) => Object.values(one).join(" ")}
            view={view}
            empty="Nothing: all that was sent with this key is stored."
          />
        </>
      )}
    </SettingsPage>
  );
}

type Props = { projectKey: Key; onDone: () => void };

function SetUp({ projectKey: { name, dsn, snippets } }: { projectKey: Key }) {
  const [chosen, setChosen] = useState(snippets[0]?.title ?? "");
  const code = snippets.find(({ title }) => title === chosen)?.code ?? "";
  return (
    <Section title="Set up an SDK" columns={8} name="set-up">
      {dsn !== null && (
        <p>
          DSN: <Copyable label={`the DSN of ${name}`} text={dsn} />
        </p>
      )}
      <Tabs label="SDK" tabs={snippets.map(({ title }) => ({ value: title, label: title }))} chosen={chosen} onChoose={setChosen} />
      <Copyable label="the code" text={code} isBlock />
    </Section>
  );
}

function About({ projectKey, view, onDone }: Props & { view: View }) {
  const { run, isBusy, fault } = useMutation(onDone);
  const { id, name, createdAt, createdBy, lastUsedAt, revokedAt } = projectKey;
  return (
    <Section title="About it" columns={revokedAt === null ? 4 : 12} name="about">
      <Facts
        facts={[
          ["State", <Badge word={stateOf(projectKey)} />],
          ["Made", <Moment at={createdAt} zone={view.zone} />],
          ["By", createdBy],
          ["Last used", lastUsedAt === null ? "never" : <Moment at={lastUsedAt} zone={view.zone} />],
          ["Revoked", revokedAt === null ? null : <Moment at={revokedAt} zone={view.zone} />],
        ]}
      />
      <p className="buttons">
        {revokedAt === null && <ConfirmButton text="Revoke" question={`Revoke the key “${name}”? What still sends with it is refused, for good.`} isBusy={isBusy} onConfirm={() => void run(REVOKE, { id })} />}
        <Link href={view.link("/settings/keys")}>All keys of {view.slug}</Link>
      </p>
      <Fault text={fault} />
    </Section>
  );
}

function Change({ projectKey, onDone }: Props) {
  const first = valuesOf(CONTROLS, projectKey);
  const [isSaved, setIsSaved] = useState(false);
  const done = () => {
    setIsSaved(true);
    onDone();
  };
  return (
    <Section title="Filters, forwarding and budget" name="change">
      <div onSubmitCapture={() => setIsSaved(false)}>
        <MutationForm key={JSON.stringify(first)} mutation={UPDATE} controls={CONTROLS} fixed={{ id: projectKey.id }} first={first} isChange submit="Save" onDone={done} />
      </div>
      {isSaved && <p role="status">Saved. It holds within five seconds.</p>}
    </Section>
  );
}

const DROPPED: Column<Dropped>[] = [
  { title: "Day", cell: ({ day }) => day },
  { title: "What", cell: ({ category }) => lower(category) },
  { title: "Why", cell: ({ reason }) => lower(reason) },
  { title: "Events", isNumber: true, cell: ({ events }) => exact(events) },
];
