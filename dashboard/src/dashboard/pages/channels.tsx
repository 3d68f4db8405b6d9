// The channels that alerts tell, with how many messages each could not deliver; and a form that makes one.
import { type FormEvent, useState } from "react";

import { type ChannelsQuery, graphql, type NotificationChannelKind } from "../../../generated/graphql";
import { Link } from "../address/link";
import { go } from "../address/location";
import { useView, type View } from "../address/view";
import { useAnalytics } from "../api/use-analytics";
import { counted } from "../format/numbers";
import { Empty, Loading } from "../panels/panel";
import { useIsAdmin, useMayDecide, useMutation } from "../parts/acting";
import { AlertTabs } from "../parts/alert-tabs";
import { Badge } from "../parts/badge";
import { ChannelFields, channelInputOf, KindChoice, KINDS, type Settings, useSendsPerHour } from "../parts/channel-form";
import { Choice } from "../parts/filter-bar";
import { Fault, Field, ProjectChoice } from "../parts/form";
import { Heading } from "../parts/heading";
import { Pager, pageOf } from "../parts/pager";
import { Section } from "../parts/section";

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
  const mayDecide = useMayDecide();
  const { notificationChannels: channels, viewer } = answer.data ?? {};
  const slugs = (viewer?.projects?.nodes ?? []).map(({ slug }) => slug);
  const isMaking = mayDecide && view.value("make") !== "";
  return (
    <>
      <Heading title="Channels" answer={answer} zone={view.zone}>
        {mayDecide && !isMaking && <Link href={view.link("/alerts/channels", { make: "1" })}>New channel</Link>}
      </Heading>
      <div className="filters">
        <AlertTabs view={view} />
        <Choice label="project" value={view.value("project")} options={slugs} onChange={(project) => view.change({ project })} />
      </div>
      <div className={`panels ${answer.isStale ? "stale" : ""}`}>
        {isMaking && viewer && (
          <Section title="New channel" name="make">
            <NewChannel view={view} projects={slugs} />
          </Section>
        )}
        <Section title="Who alerts can tell" name="channels">
          {answer.data === null && answer.problems.length === 0 && answer.unreachable === null && <Loading />}
          {answer.problems.map(({ message }) => (
            <Fault key={message} text={message} />
          ))}
          {channels?.nodes.length === 0 && (
            <Empty>There is no channel yet, so alerts are only shown here.</Empty>
          )}
          {channels && channels.nodes.length > 0 && <Table channels={channels.nodes} view={view} />}
          {channels && channels.totalCount > 0 && <Pager page={channels} view={view} kept={[]} noun="channel" />}
        </Section>
      </div>
    </>
  );
}

function Table({ channels, view }: { channels: Channel[]; view: View }) {
  return (
    <div className="table-holder" tabIndex={0} role="region" aria-label="Channels">
      <table>
        <thead>
          <tr>
            <th scope="col">Channel</th>
            <th scope="col">Kind</th>
            <th scope="col">State</th>
            <th scope="col">Project</th>
            <th scope="col" className="number">
              Waiting
            </th>
            <th scope="col" className="number">
              An hour, at most
            </th>
          </tr>
        </thead>
        <tbody>
          {channels.map(({ id, name, kind, enabled, project, sendsPerHour, dead, waiting }) => (
            <tr key={id}>
              <th scope="row">
                <Link href={view.link(`/alerts/channels/${encodeURIComponent(id)}`)}>{name}</Link>
              </th>
              <td>{KINDS[kind].text}</td>
              <td>
                <Badge word={enabled ? { text: "On", tone: "good" } : { text: "Off", tone: "quiet" }} />{" "}
                {dead !== null && dead.totalCount > 0 && <Badge word={{ text: `${counted(dead.totalCount, "message")} given up`, tone: "bad" }} />}
              </td>
              <td>{project?.slug ?? "all"}</td>
              <td className="number">{waiting?.totalCount ?? 0}</td>
              <td className="number">{sendsPerHour}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function NewChannel({ view, projects }: { view: View; projects: string[] }) {
  const isAdmin = useIsAdmin();
  const [project, setProject] = useState(view.values("project")[0] ?? (isAdmin ? "" : (projects[0] ?? "")));
  const [name, setName] = useState("");
  const [kind, setKind] = useState<NotificationChannelKind>("WEBHOOK");
  const [values, setValues] = useState<Settings>({});
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
