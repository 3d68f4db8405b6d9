// The keys with which Sentry's SDKs send events of a project.
import { type CreateProjectKeyInput, graphql, type ProjectKeysQuery, type UpdateProjectKeyInput } from "../../../generated/graphql";
import { Link } from "../address/link";
import { go } from "../address/location";
import { useView } from "../address/view";
import { useAnalytics } from "../api/use-analytics";
import { count, exact } from "../format/numbers";
import type { Word } from "../format/words";
import { Badge } from "../parts/badge";
import type { Control } from "../parts/controls";
import { ListSection } from "../parts/list-section";
import { MutationForm } from "../parts/mutation-form";
import { Section } from "../parts/section";
import { projectOf, SettingsPage } from "../parts/settings-page";
import type { Column } from "../parts/table";
import { Ago } from "../parts/time";

export const QUERY = graphql(`
  query ProjectKeys($project: String!, $hasProject: Boolean!) {
    projectKeys(project: $project) @include(if: $hasProject) {
      id name eventsPerMinute origins refusedReleases refusedTexts refusesLegacyBrowsers takesTransactions forwardTo
      dsn snippets { title code }
      createdBy createdAt lastUsedAt revokedAt revokedBy
    }
    droppedEvents(project: $project, days: 30) @include(if: $hasProject) { day projectKey category reason events }
    viewer { projects(first: 100) { nodes { slug } } }
  }
`);
const CREATE = graphql(`
  mutation NewProjectKey($input: CreateProjectKeyInput!) {
    done: createProjectKey(input: $input) { projectKey { id } userErrors { message } }
  }
`);

export const CONTROLS: Control<keyof UpdateProjectKeyInput & keyof CreateProjectKeyInput>[] = [
  { name: "name", label: "Name", hint: "What it is for.", most: 100 },
  { name: "eventsPerMinute", label: "Events a minute, at most", hint: "Errors, and transactions if it takes them.", type: "number", most: 1_000_000 },
  { name: "origins", label: "Origins of pages", hint: "Such as https://shop.example.com; none for any.", type: "words" },
  { name: "forwardTo", label: "Forward to", hint: "The DSN of a Sentry server that gets each new error too, without its secrets; empty for none.", isOptional: true, sendsEmpty: true },
  { name: "refusedReleases", label: "Releases whose events are dropped", hint: "One a line; 1.* is every release that begins so.", type: "lines" },
  { name: "refusedTexts", label: "Texts of errors that are dropped", hint: "One a line, found in any part of the type and message; one with a * must fit all of it.", type: "lines" },
  { name: "refusesLegacyBrowsers", label: "drops errors of browsers that their makers no longer support", type: "check" },
  { name: "takesTransactions", label: "records transactions of servers as API calls", type: "check" },
];
/** A new key is asked for these; the rest is changed on its page. */
const FIRST = CONTROLS.slice(0, 3);

export type Key = NonNullable<ProjectKeysQuery["projectKeys"]>[number];
export type Dropped = NonNullable<ProjectKeysQuery["droppedEvents"]>[number];

export default function KeysPage() {
  const view = useView();
  const answer = useAnalytics(QUERY, projectOf(view));
  const { projectKeys: keys, droppedEvents, viewer } = answer.data ?? {};
  const dropped = ({ id }: Key) => (droppedEvents ?? []).reduce((sum, { projectKey, events }) => sum + (projectKey === id ? events : 0), 0);
  const columns: Column<Key>[] = [...COLUMNS, { title: "Not stored in 30 days", isNumber: true, cell: (key) => count(dropped(key)), exactly: (key) => exact(dropped(key)) }];
  const show = (id: string) => go(view.link(`/settings/keys/${id}`));
  return (
    <SettingsPage title="Project keys" view={view} answer={answer} viewer={viewer ?? null}>
      {keys && (
        <Section title={`New key of ${view.slug}`} name="make">
          <MutationForm mutation={CREATE} controls={FIRST} fixed={{ project: view.slug }} first={{ eventsPerMinute: "6000" }} submit="Make the key" onDone={({ done }) => done.projectKey && show(done.projectKey.id)} />
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
      />
    </SettingsPage>
  );
}

export function stateOf({ revokedAt, revokedBy }: Key): Word {
  return revokedAt === null ? { text: "Valid", tone: "good" } : { text: `Revoked by ${revokedBy}`, tone: "quiet" };
}

const COLUMNS: Column<Key>[] = [
  { title: "Key", cell: ({ id, name }, view) => <Link href={view.link(`/settings/keys/${id}`)}>{name}</Link> },
  { title: "State", cell: (key) => <Badge word={stateOf(key)} /> },
  { title: "Events a minute", isNumber: true, cell: ({ eventsPerMinute }) => exact(eventsPerMinute) },
  { title: "Made", cell: ({ createdAt, createdBy }, { zone }) => <><Ago at={createdAt} zone={zone} /> by {createdBy}</> },
  { title: "Last used", isNumber: true, cell: ({ lastUsedAt }, { zone }) => (lastUsedAt === null ? "never" : <Ago at={lastUsedAt} zone={zone} />) },
];
