// The members of a project; admins add, change and remove them.
import { graphql, type MembersQuery } from "../../../generated/graphql";
import { useView } from "../address/view";
import { useAnalytics } from "../api/use-analytics";
import { lower } from "../format/words";
import { useIsAdmin, useMutation } from "../parts/acting";
import { ConfirmButton } from "../parts/confirm";
import type { Control } from "../parts/controls";
import { ListSection } from "../parts/list-section";
import { MutationForm } from "../parts/mutation-form";
import { Section } from "../parts/section";
import { projectOf, SettingsPage } from "../parts/settings-page";
import type { Column } from "../parts/table";

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

const CONTROLS: Control<"subject" | "email" | "role">[] = [
  { name: "subject", label: "Subject", hint: "The claim “sub” of the member’s tokens.", most: 200 },
  { name: "email", label: "E-mail", hint: "Unchanged if empty.", type: "email", isOptional: true },
  {
    name: "role",
    label: "Role",
    hint: "An owner answers for the project.",
    type: "choice",
    options: [
      ["MEMBER", "member"],
      ["OWNER", "owner"],
    ],
  },
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
    <SettingsPage title="Members" view={view} answer={answer} viewer={viewer ?? null}>
      {isAdmin && members && (
        <Section title="Add or change a member" name="make">
          <MutationForm mutation={PUT} controls={CONTROLS} fixed={{ project: view.slug }} first={{ role: "MEMBER" }} submit="Save the member" onDone={answer.reload} />
        </Section>
      )}
      <ListSection
        title="Members of the project"
        name="members"
        label="Members"
        answer={answer}
        missing={project === null ? "project" : null}
        rows={members}
        columns={isAdmin ? [...COLUMNS, remove] : COLUMNS}
        keyOf={({ id }) => id}
        view={view}
        empty="Nobody is a member yet. Tokens make members, and so do admins."
        fault={fault}
      />
    </SettingsPage>
  );
}

const COLUMNS: Column<Member>[] = [
  { title: "Subject", cell: ({ subject }) => subject },
  { title: "Role", cell: ({ role }) => lower(role) },
  { title: "E-mail", cell: ({ email }) => email },
  { title: "From", cell: ({ source }) => (source === "ADMIN" ? "an admin" : "its token") },
];
