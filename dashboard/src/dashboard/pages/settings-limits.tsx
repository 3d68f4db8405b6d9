// The rate limits in force; admins set their own above those of the settings.
import { type FormEvent, useState } from "react";

import { graphql, type RateLimitsQuery } from "../../../generated/graphql";
import { useView } from "../address/view";
import { useAnalytics } from "../api/use-analytics";
import { duration, exact } from "../format/numbers";
import { Empty } from "../panels/panel";
import { useMutation } from "../parts/acting";
import { ConfirmButton } from "../parts/confirm";
import { Fault, Field } from "../parts/form";
import { Heading } from "../parts/heading";
import { Section } from "../parts/section";
import { SettingsTabs } from "../parts/settings-tabs";
import { type Column, Table } from "../parts/table";
import { Waiting } from "../parts/waiting";

const QUERY = graphql(`
  query RateLimits { rateLimits { budget subject limit windowSeconds burst exempt isDefault } }
`);
const SET = graphql(`
  mutation SetLimit($input: RateLimitInput!) {
    done: setRateLimit(input: $input) { userErrors { message } }
  }
`);
const DELETE = graphql(`
  mutation DeleteLimit($input: DeleteRateLimitInput!) {
    done: deleteRateLimit(input: $input) { userErrors { message } }
  }
`);

const BUDGETS = ["requests", "address", "cost", "events", "kibibytes"];

type Limit = NonNullable<RateLimitsQuery["rateLimits"]>[number];

export default function LimitsPage() {
  const view = useView();
  const answer = useAnalytics(QUERY, {});
  const limits = answer.data?.rateLimits;
  const { run, isBusy, fault } = useMutation(answer.reload);
  const columns: Column<Limit>[] = [
    ...COLUMNS,
    {
      title: "Delete",
      cell: ({ budget, subject, isDefault }) =>
        !isDefault && <ConfirmButton text="Delete" question={`Delete the limit on ${budget} of ${subject ?? "everybody"}? That of the settings holds again.`} isBusy={isBusy} onConfirm={() => void run(DELETE, { input: { budget, subject } })} />,
    },
  ];
  return (
    <>
      <Heading title="Rate limits" answer={answer} zone={view.zone} />
      <div className="filters">
        <SettingsTabs view={view} />
      </div>
      <div className="panels">
        {limits && <SetLimit onDone={answer.reload} />}
        <Section title="In force" name="limits">
          <Fault text={fault} />
          {!limits && <Waiting answer={answer} />}
          {limits?.length === 0 && <Empty>Nothing is limited.</Empty>}
          {limits && limits.length > 0 && <Table label="Rate limits" columns={columns} rows={limits} keyOf={({ budget, subject }) => `${budget} ${subject}`} view={view} />}
        </Section>
      </div>
    </>
  );
}

const COLUMNS: Column<Limit>[] = [
  { title: "What", cell: ({ budget }) => budget },
  { title: "Whose", cell: ({ subject }) => subject ?? "everybody’s" },
  { title: "Limit", isNumber: true, cell: ({ limit, exempt }) => (exempt ? "none" : exact(limit)) },
  { title: "In", isNumber: true, cell: ({ windowSeconds }) => duration(windowSeconds * 1_000) },
  { title: "More at once", isNumber: true, cell: ({ burst }) => exact(burst) },
  { title: "From", cell: ({ isDefault }) => (isDefault ? "the settings" : "an admin") },
];

function SetLimit({ onDone }: { onDone: () => void }) {
  const [budget, setBudget] = useState("requests");
  const [subject, setSubject] = useState("");
  const [limit, setLimit] = useState("");
  const [windowSeconds, setWindow] = useState("60");
  const { run, isBusy, fault } = useMutation(onDone);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const input = { budget: budget.trim(), subject: subject.trim() || null, limit: Number(limit), windowSeconds: Number(windowSeconds) };
    if ((await run(SET, { input })) !== null) setSubject("");
  };
  return (
    <Section title="Set a limit" name="make">
      <form className="form" onSubmit={submit}>
        <Field name="What" hint="Or operation: and the name of a root field.">
          <input required list="budgets" value={budget} onChange={(event) => setBudget(event.target.value)} />
        </Field>
        <datalist id="budgets">
          {BUDGETS.map((name) => (
            <option key={name} value={name} />
          ))}
        </datalist>
        <Field name="Whose" hint="Such as subject:ann, token:…, or a project of events; everybody’s if empty.">
          <input value={subject} onChange={(event) => setSubject(event.target.value)} />
        </Field>
        <Field name="Limit">
          <input type="number" required min={0} value={limit} onChange={(event) => setLimit(event.target.value)} />
        </Field>
        <Field name="In seconds">
          <input type="number" required min={1} value={windowSeconds} onChange={(event) => setWindow(event.target.value)} />
        </Field>
        <div className="whole buttons">
          <button type="submit" className="primary" disabled={isBusy}>
            Set the limit
          </button>
          <Fault text={fault} />
        </div>
      </form>
    </Section>
  );
}
