// A form that makes a silence: which alerts, how long, in which hours, and why.
import { type FormEvent, useState } from "react";

import { type CreateSilenceInput, graphql, type MatchKind, type Weekday } from "../../../generated/graphql";
import { go } from "../address/location";
import type { View } from "../address/view";
import { instantNear, localOf } from "../address/zones";
import { lower } from "../format/words";
import { useIsAdmin, useMutation } from "./acting";
import { Choices, Fault, Field, ProjectChoice } from "./form";

const CREATE = graphql(`
  mutation NewSilence($input: CreateSilenceInput!) {
    done: createSilence(input: $input) { silence { id } userErrors { message } }
  }
`);

export const MATCH_KINDS: readonly (readonly [MatchKind, string])[] = [
  ["EQUAL", "is"],
  ["NOT_EQUAL", "is not"],
  ["PATTERN", "matches"],
  ["NOT_PATTERN", "does not match"],
];
const LABELS = ["rule", "severity", "project", "network", "template", "environment", "function", "endpoint", "error_type"];
const WEEKDAYS: Weekday[] = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"];
const HOUR_MS = 3_600_000;
const OF_OWN = "";
const LENGTHS: readonly (readonly [hours: string, text: string])[] = [
  ["1", "1 hour"],
  ["4", "4 hours"],
  ["24", "1 day"],
  ["168", "1 week"],
  ["720", "30 days"],
  [OF_OWN, "a time of your own"],
];

type Condition = { label: string; kind: MatchKind; value: string };

type Draft = {
  project: string;
  matchers: Condition[];
  comment: string;
  startsAt: string;
  hours: string;
  endsAt: string;
  untilResolved: boolean;
  recurs: boolean;
  weekdays: Weekday[];
  start: string;
  end: string;
};

function draftOf(view: View, projects: string[], isAdmin: boolean): Draft {
  const rule = view.value("rule");
  return {
    project: view.values("project")[0] ?? (isAdmin ? "" : (projects[0] ?? "")),
    matchers: [{ label: "rule", kind: "EQUAL", value: rule }],
    comment: "",
    startsAt: "",
    hours: "4",
    endsAt: localOf(new Date(Date.now() + 4 * HOUR_MS), view.zone),
    untilResolved: false,
    recurs: false,
    weekdays: ["SATURDAY", "SUNDAY"],
    start: "22:00",
    end: "06:00",
  };
}

function inputOf(draft: Draft, zone: string): CreateSilenceInput {
  const startsAt = draft.startsAt === "" ? null : instantNear(draft.startsAt, zone).toISOString();
  const first = startsAt === null ? Date.now() : Date.parse(startsAt);
  const ownEnd = draft.hours === OF_OWN ? instantNear(draft.endsAt, zone).toISOString() : null;
  return {
    project: draft.project || null,
    matchers: draft.matchers,
    comment: draft.comment.trim(),
    startsAt,
    endsAt: ownEnd ?? new Date(first + Number(draft.hours) * HOUR_MS).toISOString(),
    untilResolved: draft.untilResolved,
    schedule: draft.recurs ? { weekdays: draft.weekdays, start: draft.start, end: draft.end, timeZone: zone } : null,
  };
}

type Props = { view: View; projects: string[]; rules: string[]; onDone: () => void };

export function SilenceForm({ view, projects, rules, onDone }: Props) {
  const isAdmin = useIsAdmin();
  const [draft, setDraft] = useState(() => draftOf(view, projects, isAdmin));
  const { run, isBusy, fault } = useMutation(onDone);
  const set = (change: Partial<Draft>) => setDraft((before) => ({ ...before, ...change }));
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if ((await run(CREATE, { input: inputOf(draft, view.zone) })) !== null) go(view.link("/alerts/silences"));
  };
  return (
    <form className="form" onSubmit={submit}>
      <div className="whole">
        <Matchers matchers={draft.matchers} rules={rules} onChange={(matchers) => set({ matchers })} />
      </div>
      <ProjectChoice projects={projects} isAdmin={isAdmin} value={draft.project} onChange={(project) => set({ project })} />
      <Field name="From" hint={`Empty for now; clocks of ${view.zone}.`}>
        <input type="datetime-local" value={draft.startsAt} onChange={(event) => set({ startsAt: event.target.value })} />
      </Field>
      <Field name="For">
        <Choices value={draft.hours} options={LENGTHS} onChange={(hours) => set({ hours })} />
      </Field>
      {draft.hours === OF_OWN && (
        <Field name="Until" hint="At most 30 days after it begins.">
          <input type="datetime-local" required value={draft.endsAt} onChange={(event) => set({ endsAt: event.target.value })} />
        </Field>
      )}
      <div className="whole">
        <label className="check">
          <input type="checkbox" checked={draft.untilResolved} onChange={(event) => set({ untilResolved: event.target.checked })} />
          ends as soon as none of its alerts fires
        </label>
        <label className="check">
          <input type="checkbox" checked={draft.recurs} onChange={(event) => set({ recurs: event.target.checked })} />
          only in hours that recur
        </label>
      </div>
      {draft.recurs && <Hours draft={draft} zone={view.zone} onChange={set} />}
      <div className="whole">
        <Field name="Why">
          <textarea required maxLength={1_000} rows={2} value={draft.comment} onChange={(event) => set({ comment: event.target.value })} />
        </Field>
      </div>
      <div className="whole buttons">
        <button type="submit" className="primary" disabled={isBusy}>
          Silence
        </button>
        <button type="button" className="quiet" onClick={() => go(view.link("/alerts/silences"))}>
          Cancel
        </button>
        <Fault text={fault} />
      </div>
    </form>
  );
}

function Matchers({ matchers, rules, onChange }: { matchers: Condition[]; rules: string[]; onChange: (matchers: Condition[]) => void }) {
  const replace = (at: number, change: Partial<Condition>) => onChange(matchers.map((one, index) => (index === at ? { ...one, ...change } : one)));
  return (
    <fieldset className="matchers">
      <legend>Alerts of which all of this is true</legend>
      {matchers.map(({ label, kind, value }, index) => (
        <div className="matcher" key={index}>
          <input aria-label="Label" list="silence-labels" required value={label} onChange={(event) => replace(index, { label: event.target.value })} />
          <Choices label="How it is compared" value={kind} options={MATCH_KINDS} onChange={(next) => replace(index, { kind: next })} />
          <input aria-label="Value" list={label === "rule" ? "silence-rules" : undefined} maxLength={200} value={value} onChange={(event) => replace(index, { value: event.target.value })} />
          <button type="button" className="quiet" disabled={matchers.length === 1} onClick={() => onChange(matchers.filter((_, at) => at !== index))}>
            Remove<span className="hidden"> the condition on {label}</span>
          </button>
        </div>
      ))}
      <div>
        <button type="button" disabled={matchers.length === 20} onClick={() => onChange([...matchers, { label: "severity", kind: "EQUAL", value: "" }])}>
          Add a condition
        </button>
      </div>
      <datalist id="silence-labels">
        {LABELS.map((one) => (
          <option key={one} value={one} />
        ))}
      </datalist>
      <datalist id="silence-rules">
        {rules.map((one) => (
          <option key={one} value={one} />
        ))}
      </datalist>
    </fieldset>
  );
}

function Hours({ draft, zone, onChange }: { draft: Draft; zone: string; onChange: (change: Partial<Draft>) => void }) {
  const chosen = (day: Weekday, isOn: boolean) => WEEKDAYS.filter((one) => (one === day ? isOn : draft.weekdays.includes(one)));
  return (
    <>
      <fieldset className="whole">
        <legend>On these days, by the clocks of {zone}</legend>
        {WEEKDAYS.map((day) => (
          <label key={day} className="check">
            <input type="checkbox" checked={draft.weekdays.includes(day)} onChange={(event) => onChange({ weekdays: chosen(day, event.target.checked) })} />
            {lower(day)}
          </label>
        ))}
      </fieldset>
      <Field name="Hours begin">
        <input type="time" required value={draft.start} onChange={(event) => onChange({ start: event.target.value })} />
      </Field>
      <Field name="Hours end" hint="On the next day, if earlier.">
        <input type="time" required value={draft.end} onChange={(event) => onChange({ end: event.target.value })} />
      </Field>
    </>
  );
}
