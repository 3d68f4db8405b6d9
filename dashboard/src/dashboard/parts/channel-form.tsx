// How a channel tells: the fields of each kind. Secrets go in and never come out, so their fields start empty.
import { useState } from "react";

import type { ChannelInput, NotificationChannelKind } from "../../../generated/graphql";
import { type Control, Controls, givenOf, type Values } from "./controls";
import { Choices, Field } from "./form";

type Kind = { input: keyof ChannelInput; text: string; controls: Control[] };

export const KINDS: Record<NotificationChannelKind, Kind> = {
  WEBHOOK: {
    input: "webhook",
    text: "Webhook",
    controls: [
      { name: "url", label: "Address", type: "url" },
      { name: "secret", label: "Secret", type: "password", hint: "Requests are signed with it; at least 16 characters." },
    ],
  },
  EMAIL: {
    input: "email",
    text: "Mail",
    controls: [
      { name: "to", label: "Addresses", type: "words", hint: "Up to 50, with commas between them." },
      { name: "owners", label: "also to the owners of the project", type: "check" },
    ],
  },
  SLACK: { input: "slack", text: "Slack", controls: [{ name: "secretUrl", label: "Address of the incoming webhook", type: "password" }] },
  PAGERDUTY: {
    input: "pagerduty",
    text: "PagerDuty",
    controls: [
      { name: "routingKey", label: "Integration key", type: "password", hint: "Of an Events API v2 integration." },
      { name: "url", label: "Another address", type: "url", isOptional: true, hint: "Such as that of the EU region." },
    ],
  },
  ALERTMANAGER: {
    input: "alertmanager",
    text: "Alertmanager",
    controls: [
      { name: "url", label: "Address", type: "url" },
      { name: "token", label: "Token", type: "password", isOptional: true, hint: "If it needs one." },
    ],
  },
  APPRISE: {
    input: "apprise",
    text: "Another service, by Apprise",
    controls: [{ name: "secretUrl", label: "Address as Apprise writes it", type: "password", hint: "Of Discord, Google Chat, Opsgenie, Pushbullet, Pushover, Telegram, Twilio or Teams." }],
  },
  IN_APP: { input: "inApp", text: "Only here", controls: [] },
};

/** The values as the mutation takes them; a text that is empty is left out, so that it stays as it was. */
export function channelInputOf(kind: NotificationChannelKind, values: Values): ChannelInput {
  const { input, controls } = KINDS[kind];
  return { [input]: kind === "IN_APP" || givenOf(controls, values) } as unknown as ChannelInput;
}

export function KindChoice({ kind, onChange }: { kind: NotificationChannelKind; onChange: (kind: NotificationChannelKind) => void }) {
  const options = (Object.keys(KINDS) as NotificationChannelKind[]).map((one) => [one, KINDS[one].text] as const);
  return (
    <Field name="How it tells">
      <Choices value={kind} options={options} onChange={onChange} />
    </Field>
  );
}

type Props = { kind: NotificationChannelKind; values: Values; isNew: boolean; onChange: (values: Values) => void };

export function ChannelFields({ kind, isNew, ...rest }: Props) {
  const { controls } = KINDS[kind];
  return <Controls controls={isNew ? controls : controls.map(ofKnown)} {...rest} />;
}

/** The field of a channel that exists: what is left empty stays. */
function ofKnown(control: Control): Control {
  return { ...control, isOptional: true, ...(control.type === "password" ? { hint: "Empty: that of before stays." } : {}) };
}

/** How many messages a channel may send in an hour. */
export function useSendsPerHour(first: number) {
  const [text, setText] = useState(String(first));
  const field = (
    <Field name="Messages an hour, at most" hint="Then one sums up the rest.">
      <input type="number" inputMode="numeric" required min={1} max={1_000} value={text} onChange={(event) => setText(event.target.value)} />
    </Field>
  );
  return { field, sendsPerHour: Number(text) };
}
