// The members of a project; admins add, change and remove them.
import { type FormEvent, useState } from "react";

import { graphql, type MemberRole, type MembersQuery } from "../../../generated/graphql";
import { useView } from "../address/view";
import { useAnalytics } from "../api/use-analytics";
import { lower } from "../format/words";
import { Empty } from "../panels/panel";
import { useIsAdmin, useMutation } from "../parts/acting";
import { ConfirmButton } from "../parts/confirm";
import { Choices, Fault, Field } from "../parts/form";
import { Heading } from "../parts/heading";
import { ProjectFilter, projectOf } from "../parts/of-project";
import { Section } from "../parts/section";
import { SettingsTabs } from "../parts/settings-tabs";
import { type Column, Table } from "../parts/table";
import { Waiting } from "../parts/waiting";

const QUERY = graphql(`
  query Members($project: String!, $hasProject: Boolean!) {
    project(slug: $project) @include(if: $hasProject) { members { id subject role source email } }
    viewer { projects(first: 100) { nodes { slug } } }
  }
`);
const PUT = graphql(`
  mutation PutMember($input: MemberInput!) {
    done: upsertMember(input: $input) { userErrors { message } }
  }
`);
const REMOVE = graphql(`
  mutation RemoveMember($project: String!, $subject: String!) {
    done: removeMember(input: { project: $project, subject: $subject }) { userErrors { message } }
  }
`);

const ROLES: [MemberRole, string][] = [
  ["MEMBER", "member"],
  ["OWNER", "owner"],
];

type Member = NonNullable<NonNullable<MembersQuery["project"]>["members"]>[number];

export default function MembersPage() {
  const view = useView();
  const isAdmin = useIsAdmin();
  const answer = useAnalytics(QUERY, projectOf(view));
  const { project, viewer } = answer.data ?? {};
  const members = project?.members;
  const { run, isBusy, fault } = useMutation(answer.reload);
  const remove: Column<Member> = {
    title: "Remove",
    cell: ({ subject }) => (
      <ConfirmButton text="Remove" question={`Remove ${subject} from ${view.slug}? A token that still claims it adds this member again.`} isBusy={isBusy} onConfirm={() => void run(REMOVE, { project: view.slug, subject })} />
    ),
  };
  return (
    <>
      <Heading title="Members" answer={answer} zone={view.zone} />
      <div className="filters">
        <SettingsTabs view={view} />
        <ProjectFilter view={view} projects={(viewer?.projects?.nodes ?? []).map(({ slug }) => slug)} />
      </div>
      <div className={`panels ${answer.isStale ? "stale" : ""}`}>
        {isAdmin && members && <PutMember project={view.slug} onDone={answer.reload} />}
        <Section title="Members of the project" name="members">
          <Fault text={fault} />
          {!members && <Waiting answer={answer} missing={view.slug !== "" && project === null ? "project" : null} />}
          {view.slug === "" && answer.data !== null && <Empty>Choose a project to see its members.</Empty>}
          {members?.length === 0 && <Empty>Nobody is a member yet. Tokens make members, and so do admins.</Empty>}
          {members && members.length > 0 && <Table label="Members" columns={isAdmin ? [...COLUMNS, remove] : COLUMNS} rows={members} keyOf={({ id }) => id} view={view} />}
        </Section>
      </div>
    </>
  );
}

const COLUMNS: Column<Member>[] = [
  { title: "Subject", cell: ({ subject }) => subject },
  { title: "Role", cell: ({ role }) => lower(role) },
  { title: "E-mail", cell: ({ email }) => email },
  { title: "From", cell: ({ source }) => (source === "ADMIN" ? "an admin" : "its token") },
];

function PutMember({ project, onDone }: { project: string; onDone: () => void }) {
  const [subject, setSubject] = useState("");
  const [email, setEmail] = useState("");
  const [role, setRole] = useState<MemberRole>("MEMBER");
  const { run, isBusy, fault } = useMutation(onDone);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const done = await run(PUT, { input: { project, subject: subject.trim(), email: email.trim() || null, role } });
    if (done === null) return;
    setSubject("");
    setEmail("");
  };
  return (
    <Section title="Add or change a member" name="make">
      <form className="form" onSubmit={submit}>
        <Field name="Subject" hint="The claim “sub” of the member’s tokens.">
          <input required maxLength={200} value={subject} onChange={(event) => setSubject(event.target.value)} />
        </Field>
        <Field name="E-mail" hint="Unchanged if empty.">
          <input type="email" value={email} onChange={(event) => setEmail(event.target.value)} />
        </Field>
        <Field name="Role" hint="An owner answers for the project.">
          <Choices value={role} options={ROLES} onChange={setRole} />
        </Field>
        <div className="whole buttons">
          <button type="submit" className="primary" disabled={isBusy}>
            Save the member
          </button>
          <Fault text={fault} />
        </div>
      </form>
    </Section>
  );
}
