// One channel: its settings without secrets, a test of it, and what was sent with each try.
import { type FormEvent, useState } from "react";

import { type ChannelDetailQuery, graphql, type NotificationStatus } from "../../../generated/graphql";
import { go } from "../address/location";
import { useView, type View } from "../address/view";
import { useAnalytics } from "../api/use-analytics";
import { duration } from "../format/numbers";
import { lower, SEND } from "../format/words";
import { useMayChange, useMutation } from "../parts/acting";
import { ChannelFields, channelInputOf, KINDS, useSendsPerHour } from "../parts/channel-form";
import { ConfirmButton } from "../parts/confirm";
import type { Values } from "../parts/controls";
import { Facts } from "../parts/facts";
import { Fault } from "../parts/form";
import { Pager, pageOf } from "../parts/pager";
import { Section } from "../parts/section";
import { Sends } from "../parts/sends";
import { Tabs } from "../parts/tabs";
import { ThingPage } from "../parts/thing-page";
import { Moment } from "../parts/time";

const QUERY = graphql(`
  query ChannelDetail($id: ID!, $statuses: [NotificationStatus!], $first: Int, $after: String, $last: Int, $before: String) {
    node(id: $id) {
      ... on NotificationChannel {
        id name kind enabled sendsPerHour createdAt createdBy changedAt changedBy
        project { slug }
        settings { name value }
        secrets
        sends(statuses: $statuses, first: $first, after: $after, last: $last, before: $before) {
          totalCount isEstimate
          pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
          nodes {
            sendId status reason title text createdAt dueAt sentAt attemptCount
            attempts(first: 20) { number at outcome detail durationMs }
          }
        }
      }
    }
  }
`);
const UPDATE = graphql(`
  mutation UpdateChannel($input: UpdateNotificationChannelInput!) {
    done: updateNotificationChannel(input: $input) { userErrors { message } }
  }
`);
const TEST = graphql(`
  mutation TestChannel($id: ID!) {
    done: testNotificationChannel(input: { id: $id }) { tests { isDelivered detail durationMs } userErrors { message } }
  }
`);
const DELETE = graphql(`
  mutation DeleteChannel($id: ID!) {
    done: deleteNotificationChannel(input: { id: $id }) { userErrors { message } }
  }
`);

const PAGE_SIZE = 20;
const STATUSES: NotificationStatus[] = ["WAITING", "SENT", "DEAD", "HELD", "REFUSED"];

/** A node of another type has none of a channel's fields. */
export type Channel = Extract<NonNullable<ChannelDetailQuery["node"]>, { sends: unknown }>;

export default function ChannelPage({ id }: { id: string }) {
  const view = useView();
  const status = STATUSES.find((one) => one.toLowerCase() === view.value("status")) ?? null;
  const answer = useAnalytics(QUERY, { id, statuses: status === null ? null : [status], ...pageOf(view, PAGE_SIZE) });
  const node = answer.data?.node;
  const channel = node && "sends" in node ? (node as Channel) : null;
  return (
    <ThingPage
      noun="channel"
      list="/alerts/channels"
      title={channel?.name}
      state={channel && { text: channel.enabled ? "On" : "Off", tone: channel.enabled ? "good" : "quiet" }}
      answer={answer}
      view={view}
    >
      {channel && (
        <>
          <Actions channel={channel} view={view} onDone={answer.reload} />
          <div className={`panels ${answer.isStale ? "stale" : ""}`}>
            <Section title="How it tells" columns={6} name="settings">
              <Facts
                facts={[
                  ["Kind", KINDS[channel.kind].text],
                  ["Project", channel.project?.slug ?? "all, as it is the platform's"],
                  ...(channel.settings ?? []).map(({ name, value }): [string, string] => [lower(name), value]),
                  ["Secrets that are set", channel.secrets?.join(", ")],
                  ["Messages an hour, at most", channel.sendsPerHour],
                  ["Changed", <Moment at={channel.changedAt} zone={view.zone} />],
                  ["By", channel.changedBy],
                ]}
              />
            </Section>
            <Change key={channel.changedAt} channel={channel} onDone={answer.reload} />
            <Section title="What was sent" name="sends">
              <div className="filters">
                <Tabs
                  label="Which messages"
                  tabs={[{ value: "", label: "All" }, ...STATUSES.map((one) => ({ value: one.toLowerCase(), label: SEND[one].text }))]}
                  chosen={view.value("status")}
                  onChoose={(value) => view.change({ status: value, before: null })}
                />
              </div>
              <Sends sends={channel.sends?.nodes ?? []} view={view} onDone={answer.reload} />
              {channel.sends && <Pager page={channel.sends} view={view} kept={["status"]} noun="message" />}
            </Section>
          </div>
        </>
      )}
    </ThingPage>
  );
}

function Actions({ channel, view, onDone }: { channel: Channel; view: View; onDone: () => void }) {
  const [told, setTold] = useState<string | null>(null);
  const { run, isBusy, fault } = useMutation(onDone);
  const mayChange = useMayChange();
  if (!mayChange(channel)) return null;
  const test = async () => {
    setTold(null);
    const [result] = (await run(TEST, { id: channel.id }))?.done.tests ?? [];
    if (result) setTold(`${result.isDelivered ? "It took the test" : "It did not take the test"}, after ${duration(result.durationMs)}: ${result.detail}`);
  };
  const remove = async () => {
    if ((await run(DELETE, { id: channel.id })) !== null) go(view.link("/alerts/channels"));
  };
  return (
    <div className="filters" role="group" aria-label="Decide about this channel">
      <button type="button" className="primary" disabled={isBusy} onClick={test}>
        Send a test
      </button>
      <button type="button" disabled={isBusy} onClick={() => run(UPDATE, { input: { id: channel.id, enabled: !channel.enabled } })}>
        {channel.enabled ? "Switch off" : "Switch on"}
      </button>
      <ConfirmButton text="Delete" question={`Delete the channel “${channel.name}”? What was sent to it stays in the log.`} isBusy={isBusy} onConfirm={remove} />
      {told !== null && (
        <p className="notice" role="status" data-testid="tested">
          {told}
        </p>
      )}
      <Fault text={fault} />
    </div>
  );
}

function Change({ channel, onDone }: { channel: Channel; onDone: () => void }) {
  const [values, setValues] = useState<Values>(() => Object.fromEntries((channel.settings ?? []).map(({ name, value }) => [name, value])));
  const { field, sendsPerHour } = useSendsPerHour(channel.sendsPerHour);
  const { run, isBusy, fault } = useMutation(onDone);
  const mayChange = useMayChange();
  if (!mayChange(channel)) return null;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const settings = channel.kind === "IN_APP" ? null : channelInputOf(channel.kind, values);
    void run(UPDATE, { input: { id: channel.id, channel: settings, sendsPerHour } });
  };
  return (
    <Section title="Change it" columns={6} name="change">
      <form className="form" onSubmit={submit}>
        <ChannelFields kind={channel.kind} values={values} isNew={false} onChange={setValues} />
        {field}
        <div className="whole buttons">
          <button type="submit" disabled={isBusy}>
            Save
          </button>
          <Fault text={fault} />
        </div>
      </form>
    </Section>
  );
}
