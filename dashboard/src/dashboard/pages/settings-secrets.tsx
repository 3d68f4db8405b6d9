// What is removed from a project's errors and log lines before they are stored: its own rules and the built-in ones.
import { type FormEvent, useState } from "react";

import { graphql, type ScrubRulesInput, type SecretsQuery } from "../../../generated/graphql";
import { useView } from "../address/view";
import { useAnalytics } from "../api/use-analytics";
import { useMutation } from "../parts/acting";
import { ConfirmButton } from "../parts/confirm";
import { Field } from "../parts/form";
import { ListSection } from "../parts/list-section";
import { projectOf, SettingsPage } from "../parts/settings-page";
import type { Column } from "../parts/table";

const QUERY = graphql(`
  query Secrets($project: String!, $hasProject: Boolean!) {
    scrubRules(project: $project) @include(if: $hasProject) { names patterns revision builtIn { what found replacement } }
    viewer { projects(first: 100) { nodes { slug } } }
  }
`);
const SET = graphql(`
  mutation SetScrubRules($input: ScrubRulesInput!) {
    done: setScrubRules(input: $input) { userErrors { message } }
  }
`);

type Rules = NonNullable<SecretsQuery["scrubRules"]>;
type Kind = "names" | "patterns";

const KINDS: { kind: Kind; title: string; table: string; label: string; hint: string; empty: string }[] = [
  {
    kind: "names",
    title: "Names whose values are removed",
    table: "Names",
    label: "Name of a field, header, variable or parameter",
    hint: "“customer ref” is customerRef and old_customer_ref too.",
    empty: "This project has no names of its own.",
  },
  {
    kind: "patterns",
    title: "Texts that are removed",
    table: "Texts",
    label: "Text, wherever it is",
    hint: "* stands for any characters but spaces, # for a digit: acct-*, KD-######.",
    empty: "This project has no texts of its own.",
  },
];

export default function SecretsPage() {
  const view = useView();
  const answer = useAnalytics(QUERY, projectOf(view));
  const { scrubRules: rules, viewer } = answer.data ?? {};
  const { run, isBusy, fault } = useMutation(answer.reload);
  const [changed, setChanged] = useState<Kind>("names");
  const change = async (kind: Kind, values: string[]) => {
    if (!rules) return false;
    setChanged(kind);
    const { names, patterns, revision } = rules;
    const input: ScrubRulesInput = { project: view.slug, names, patterns, revision, [kind]: values };
    return (await run(SET, { input })) !== null;
  };
  return (
    <SettingsPage title="Secrets" view={view} answer={answer} viewer={viewer ?? null}>
      {KINDS.map(({ kind, title, table, label, hint, empty }) => (
        <ListSection
          key={kind}
          title={title}
          name={kind}
          columnsWide={6}
          label={table}
          answer={answer}
          rows={rules?.[kind]}
          columns={[
            { title: "Rule", cell: (value) => <code>{value}</code> },
            {
              title: "Remove",
              cell: (value) => (
                <ConfirmButton
                  text="Remove"
                  question={`Remove the rule “${value}”? What comes from now on is stored with it.`}
                  isBusy={isBusy}
                  onConfirm={() => void change(kind, (rules?.[kind] ?? []).filter((one) => one !== value))}
                />
              ),
            },
          ]}
          keyOf={(value) => value}
          view={view}
          empty={empty}
          fault={changed === kind ? fault : null}
        >
          {rules && <AddRule label={label} hint={hint} isBusy={isBusy} onAdd={(value) => change(kind, [...rules[kind], value])} />}
        </ListSection>
      ))}
      <ListSection
        title="Removed in every project"
        name="built-in"
        label="Built-in rules"
        answer={answer}
        rows={rules?.builtIn}
        columns={BUILT_IN}
        keyOf={({ what }) => what}
        view={view}
        empty="Nothing."
      />
    </SettingsPage>
  );
}

function AddRule({ label, hint, isBusy, onAdd }: { label: string; hint: string; isBusy: boolean; onAdd: (value: string) => Promise<boolean> }) {
  const [value, setValue] = useState("");
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (await onAdd(value.trim())) setValue("");
  };
  return (
    <form className="form one-field" onSubmit={submit}>
      <Field name={label} hint={hint}>
        <input required maxLength={200} autoComplete="off" value={value} onChange={(event) => setValue(event.target.value)} />
      </Field>
      <button type="submit" disabled={isBusy}>
        Add
      </button>
    </form>
  );
}

const BUILT_IN: Column<Rules["builtIn"][number]>[] = [
  { title: "What", cell: ({ what }) => <WithCode text={what} /> },
  { title: "How it is found", isText: true, cell: ({ found }) => <WithCode text={found} /> },
  { title: "In its place", isText: true, cell: ({ replacement }) => <WithCode text={replacement} /> },
];

/** A text whose code is in backticks. */
function WithCode({ text }: { text: string }) {
  return <span>{text.split("`").map((part, at) => (at % 2 === 1 ? <code key={at}>{part}</code> : part))}</span>;
}
