// How a channel tells: the fields of each kind. Secrets go in and never come out, so their fields start empty.
import { useState } from "react";

import type { ChannelInput, NotificationChannelKind } from "../../../generated/graphql";
import { Choices, Field } from "./form";

type Control = { name: string; label: string; hint?: string; isSecret?: boolean; isOptional?: boolean; type?: "url" | "text" | "check" };

type Kind = { input: keyof ChannelInput; text: string; controls: Control[] };

export const KINDS: Record<NotificationChannelKind, Kind> = {
  WEBHOOK: {
    input: "webhook",
    text: "Webhook",
    controls: [
      { name: "url", label: "Address", type: "url" },
      { name: "secret", label: "Secret", isSecret: true, hint: "Requests are signed with it; at least 16 characters." },
    ],
  },
  EMAIL: {
    input: "email",
    text: "Mail",
    controls: [
      { name: "to", label: "Addresses", hint: "Up to 50, with commas between them.", isOptional: true },
      { name: "owners", label: "also to the owners of the project", type: "check" },
    ],
  },
  SLACK: { input: "slack", text: "Slack", controls: [{ name: "secretUrl", label: "Address of the incoming webhook", isSecret: true }] },
  PAGERDUTY: {
    input: "pagerduty",
    text: "PagerDuty",
    controls: [
      { name: "routingKey", label: "Integration key", isSecret: true, hint: "Of an Events API v2 integration." },
      { name: "url", label: "Another address", type: "url", isOptional: true, hint: "Such as that of the EU region." },
    ],
  },
  ALERTMANAGER: {
    input: "alertmanager",
    text: "Alertmanager",
    controls: [
      { name: "url", label: "Address", type: "url" },
      { name: "token", label: "Token", isSecret: true, isOptional: true, hint: "If it needs one." },
    ],
  },
  APPRISE: {
    input: "apprise",
    text: "Another service, by Apprise",
    controls: [{ name: "secretUrl", label: "Address as Apprise writes it", isSecret: true, hint: "Of Discord, Google Chat, Opsgenie, Pushbullet, Pushover, Telegram, Twilio or Teams." }],
  },
  IN_APP: { input: "inApp", text: "Only here", controls: [] },
};

export type Settings = Record<string, string>;

/** The values as the mutation takes them; what is empty is left out, so that it stays as it was. */
export function channelInputOf(kind: NotificationChannelKind, values: Settings): ChannelInput {
  const { input, controls } = KINDS[kind];
  if (kind === "IN_APP") return { inApp: true };
  const given: Record<string, unknown> = {};
  for (const { name, type } of controls) {
    const value = (values[name] ?? "").trim();
    if (type === "check") given[name] = value === "true";
    else if (name === "to") given[name] = value.split(/[\s,;]+/).filter(Boolean);
    else if (value !== "") given[name] = value;
  }
  return { [input]: given } as unknown as ChannelInput;
}

export function KindChoice({ kind, onChange }: { kind: NotificationChannelKind; onChange: (kind: NotificationChannelKind) => void }) {
  const options = (Object.keys(KINDS) as NotificationChannelKind[]).map((one) => [one, KINDS[one].text] as const);
  return (
    <Field name="How it tells">
      <Choices value={kind} options={options} onChange={onChange} />
    </Field>
  );
}

type Props = { kind: NotificationChannelKind; values: Settings; isNew: boolean; onChange: (values: Settings) => void };

export function ChannelFields({ kind, values, isNew, onChange }: Props) {
  return KINDS[kind].controls.map(({ name, label, hint, isSecret, isOptional, type = "text" }) => {
    const change = (value: string) => onChange({ ...values, [name]: value });
    if (type === "check") {
      return (
        <label key={name} className="check">
          <input type="checkbox" checked={values[name] === "true"} onChange={(event) => change(String(event.target.checked))} />
          {label}
        </label>
      );
    }
    const stays = isSecret && !isNew ? "Empty: that of before stays." : undefined;
    return (
      <Field key={name} name={label} hint={stays ?? hint}>
        <input
          type={isSecret ? "password" : type}
          autoComplete="off"
          required={isNew && !isOptional}
          value={values[name] ?? ""}
          onChange={(event) => change(event.target.value)}
        />
      </Field>
    );
  });
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
