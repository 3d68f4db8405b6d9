// Service tokens: which there are and who uses them; one is made, shown once, and revoked.
import { type FormEvent, useState } from "react";

import { graphql, type Role, type ServiceTokensQuery } from "../../../generated/graphql";
import { useView, type View } from "../address/view";
import { useAnalytics } from "../api/use-analytics";
import { lower, type Word } from "../format/words";
import { Empty } from "../panels/panel";
import { useMutation } from "../parts/acting";
import { Badge } from "../parts/badge";
import { ConfirmButton } from "../parts/confirm";
import { Copyable } from "../parts/copyable";
import { Fault, Field } from "../parts/form";
import { Heading } from "../parts/heading";
import { Pager, pageOf } from "../parts/pager";
import { Section } from "../parts/section";
import { SettingsTabs } from "../parts/settings-tabs";
import { type Column, Table } from "../parts/table";
import { Ago, Moment } from "../parts/time";
import { Waiting } from "../parts/waiting";

const QUERY = graphql(`
  query ServiceTokens($first: Int, $after: String, $last: Int, $before: String) {
    serviceTokens(first: $first, after: $after, last: $last, before: $before) {
      totalCount isEstimate
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
      nodes { id name roles projects createdBy createdAt lastUsedAt expiresAt revokedAt revokedBy }
    }
    viewer { projects(first: 100) { nodes { slug } } }
  }
`);
const CREATE = graphql(`
  mutation NewToken($input: ServiceTokenInput!) {
    done: createServiceToken(input: $input) { token serviceToken { name } userErrors { message } }
  }
`);
const REVOKE = graphql(`
  mutation RevokeToken($id: ID!) {
    done: revokeServiceToken(input: { id: $id }) { userErrors { message } }
  }
`);

const PAGE_SIZE = 25;
const LONGEST_DAYS = 366;
const ROLES: [Role, string][] = [
  ["VIEWER", "viewer: reads"],
  ["INGEST", "ingest: records events"],
  ["MAINTAINER", "maintainer: reads and decides"],
];

type Token = NonNullable<ServiceTokensQuery["serviceTokens"]>["nodes"][number];

export default function TokensPage() {
  const view = useView();
  const answer = useAnalytics(QUERY, pageOf(view, PAGE_SIZE));
  const { serviceTokens: tokens, viewer } = answer.data ?? {};
  const { run, isBusy, fault } = useMutation(answer.reload);
  const columns: Column<Token>[] = [
    ...COLUMNS,
    {
      title: "Revoke",
      cell: ({ id, name, revokedAt }) =>
        revokedAt === null && <ConfirmButton text="Revoke" question={`Revoke the token “${name}”? What uses it is refused within seconds, for good.`} isBusy={isBusy} onConfirm={() => void run(REVOKE, { id })} />,
    },
  ];
  return (
    <>
      <Heading title="Service tokens" answer={answer} zone={view.zone} />
      <div className="filters">
        <SettingsTabs view={view} />
      </div>
      <div className={`panels ${answer.isStale ? "stale" : ""}`}>
        {tokens && <NewToken projects={(viewer?.projects?.nodes ?? []).map(({ slug }) => slug)} view={view} onDone={answer.reload} />}
        <Section title="Tokens of programs" name="tokens">
          <Fault text={fault} />
          {!tokens && <Waiting answer={answer} />}
          {tokens?.nodes.length === 0 && <Empty>There is no service token yet.</Empty>}
          {tokens && tokens.nodes.length > 0 && <Table label="Service tokens" columns={columns} rows={tokens.nodes} keyOf={({ id }) => id} view={view} />}
          {tokens && <Pager page={tokens} view={view} kept={[]} noun="token" />}
        </Section>
      </div>
    </>
  );
}

const COLUMNS: Column<Token>[] = [
  {
    title: "Token",
    cell: ({ name, id }) => (
      <>
        {name}
        <span className="sub">{id}</span>
      </>
    ),
  },
  { title: "State", cell: (token) => <Badge word={stateOf(token)} /> },
  { title: "Roles", cell: ({ roles }) => roles.map(lower).join(", ") },
  { title: "Projects", cell: ({ projects }) => projects.join(", ") },
  { title: "Made", cell: ({ createdAt, createdBy }, { zone }) => <><Ago at={createdAt} zone={zone} /> by {createdBy}</> },
  { title: "Last used", isNumber: true, cell: ({ lastUsedAt }, { zone }) => (lastUsedAt === null ? "never" : <Ago at={lastUsedAt} zone={zone} />) },
  { title: "Expires", isNumber: true, cell: ({ expiresAt }, { zone }) => <Moment at={expiresAt} zone={zone} /> },
];

function stateOf({ revokedAt, revokedBy, expiresAt }: Token): Word {
  if (revokedAt !== null) return { text: `Revoked by ${revokedBy}`, tone: "quiet" };
  return Date.parse(expiresAt) < Date.now() ? { text: "Expired", tone: "quiet" } : { text: "Valid", tone: "good" };
}

function NewToken({ projects, view, onDone }: { projects: string[]; view: View; onDone: () => void }) {
  const [name, setName] = useState("");
  const [roles, setRoles] = useState<Role[]>(["INGEST"]);
  const [slugs, setSlugs] = useState(view.values("project").join(", "));
  const [days, setDays] = useState("90");
  const [made, setMade] = useState<{ name: string; token: string } | null>(null);
  const { run, isBusy, fault } = useMutation(onDone);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setMade(null);
    const input = { name: name.trim(), roles, projects: slugs.split(",").map((slug) => slug.trim()).filter(Boolean), expiresInDays: Number(days) };
    const done = (await run(CREATE, { input }))?.done;
    if (!done?.token) return;
    setMade({ name: input.name, token: done.token });
    setName("");
  };
  const toggle = (role: Role) => setRoles(roles.includes(role) ? roles.filter((one) => one !== role) : [...roles, role]);
  return (
    <Section title="New token" name="make">
      <form className="form" onSubmit={submit}>
        <Field name="Name" hint="What it is for.">
          <input required maxLength={100} value={name} onChange={(event) => setName(event.target.value)} />
        </Field>
        <Field name="Projects" hint="Their slugs, with commas; they need not exist yet.">
          <input required list="project-slugs" value={slugs} onChange={(event) => setSlugs(event.target.value)} />
        </Field>
        <datalist id="project-slugs">
          {projects.map((slug) => (
            <option key={slug} value={slug} />
          ))}
        </datalist>
        <Field name="Days it is valid" hint={`At most ${LONGEST_DAYS}.`}>
          <input type="number" required min={1} max={LONGEST_DAYS} value={days} onChange={(event) => setDays(event.target.value)} />
        </Field>
        <fieldset className="whole">
          <legend>Roles</legend>
          {ROLES.map(([role, text]) => (
            <label key={role} className="check">
              <input type="checkbox" checked={roles.includes(role)} onChange={() => toggle(role)} /> {text}
            </label>
          ))}
        </fieldset>
        <div className="whole buttons">
          <button type="submit" className="primary" disabled={isBusy || roles.length === 0}>
            Make the token
          </button>
          <Fault text={fault} />
        </div>
      </form>
      {made && (
        <div className="notice" role="status" data-testid="made">
          <p>The token “{made.name}”. It is shown only now: keep it where its program finds it.</p>
          <Copyable label="the token" text={made.token} />
        </div>
      )}
    </Section>
  );
}
