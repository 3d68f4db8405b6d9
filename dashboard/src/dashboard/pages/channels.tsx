// The channels that alerts tell, with how many messages each could not deliver; and a form that makes one.
import { type FormEvent, useState } from "react";

import { type ChannelsQuery, graphql, type NotificationChannelKind } from "../../../generated/graphql";
import { Link } from "../address/link";
import { go } from "../address/location";
import { useView, type View } from "../address/view";
import { useAnalytics } from "../api/use-analytics";
import { counted } from "../format/numbers";
import { useIsAdmin, useMutation } from "../parts/acting";
import { Badge } from "../parts/badge";
import { ChannelFields, channelInputOf, KindChoice, KINDS, useSendsPerHour } from "../parts/channel-form";
import type { Values } from "../parts/controls";
import { Fault, Field, ProjectChoice } from "../parts/form";
import { MadeList } from "../parts/made-list";
import { PagedTable } from "../parts/paged-table";
import { pageOf } from "../parts/pager";
import { Section } from "../parts/section";
import type { Column } from "../parts/table";

const QUERY = graphql(`
  query Channels($projects: [String!], $first: Int, $after: String, $last: Int, $before: String) {
    notificationChannels(projects: $projects, first: $first, after: $after, last: $last, before: $before) {
      totalCount isEstimate
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
      nodes {
        id name kind enabled sendsPerHour
        project { slug }
        dead: sends(statuses: [DEAD], first: 1) { totalCount }
        waiting: sends(statuses: [WAITING], first: 1) { totalCount }
      }
    }
    viewer { projects(first: 100) { nodes { slug } } }
  }
`);
const CREATE = graphql(`
  mutation NewChannel($input: CreateNotificationChannelInput!) {
    done: createNotificationChannel(input: $input) { notificationChannel { id } userErrors { message } }
  }
`);

const PAGE_SIZE = 25;
const USUAL_SENDS = 60;

type Channel = NonNullable<ChannelsQuery["notificationChannels"]>["nodes"][number];

export default function ChannelsPage() {
  const view = useView();
  const projects = view.value("project") === "" ? null : view.values("project");
  const answer = useAnalytics(QUERY, { projects, ...pageOf(view, PAGE_SIZE) });
  return (
    <MadeList title="Channels" noun="channel" view={view} answer={answer} form={(slugs) => <NewChannel view={view} projects={slugs} />}>
      <Section title="Who alerts can tell" name="channels">
        <PagedTable
          label="Channels"
          noun="channel"
          answer={answer}
          list={answer.data?.notificationChannels}
          columns={COLUMNS}
          keyOf={({ id }) => id}
          view={view}
          empty="There is no channel yet, so alerts are only shown here."
        />
      </Section>
    </MadeList>
  );
}

const COLUMNS: Column<Channel>[] = [
  { title: "Channel", cell: ({ id, name }, view) => <Link href={view.link(`/alerts/channels/${encodeURIComponent(id)}`)}>{name}</Link> },
  { title: "Kind", cell: ({ kind }) => KINDS[kind].text },
  {
    title: "State",
    cell: ({ enabled, dead }) => (
      <>
        <Badge word={enabled ? { text: "On", tone: "good" } : { text: "Off", tone: "quiet" }} />{" "}
        {dead !== null && dead.totalCount > 0 && <Badge word={{ text: `${counted(dead.totalCount, "message")} given up`, tone: "bad" }} />}
      </>
    ),
  },
  { title: "Project", cell: ({ project }) => project?.slug ?? "all" },
  { title: "Waiting", isNumber: true, cell: ({ waiting }) => waiting?.totalCount ?? 0 },
  { title: "An hour, at most", isNumber: true, cell: ({ sendsPerHour }) => sendsPerHour },
];

function NewChannel({ view, projects }: { view: View; projects: string[] }) {
  const isAdmin = useIsAdmin();
  const [project, setProject] = useState(view.values("project")[0] ?? (isAdmin ? "" : (projects[0] ?? "")));
  const [name, setName] = useState("");
  const [kind, setKind] = useState<NotificationChannelKind>("WEBHOOK");
  const [values, setValues] = useState<Values>({});
  const { field, sendsPerHour } = useSendsPerHour(USUAL_SENDS);
  const { run, isBusy, fault } = useMutation(() => undefined);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const made = await run(CREATE, { input: { project: project || null, name: name.trim(), channel: channelInputOf(kind, values), sendsPerHour } });
    const id = made?.done.notificationChannel?.id;
    if (id !== undefined) go(view.link(`/alerts/channels/${encodeURIComponent(id)}`));
  };
  return (
    <form className="form" onSubmit={submit}>
      <ProjectChoice projects={projects} isAdmin={isAdmin} value={project} onChange={setProject} />
      <Field name="Name" hint="Alerts name it by this; it never changes.">
        <input required maxLength={100} value={name} onChange={(event) => setName(event.target.value)} />
      </Field>
      <KindChoice kind={kind} onChange={setKind} />
      <ChannelFields kind={kind} values={values} isNew onChange={setValues} />
      {field}
      <div className="whole buttons">
        <button type="submit" className="primary" disabled={isBusy}>
          Create channel
        </button>
        <button type="button" className="quiet" onClick={() => go(view.link("/alerts/channels"))}>
          Cancel
        </button>
        <Fault text={fault} />
      </div>
    </form>
  );
}
