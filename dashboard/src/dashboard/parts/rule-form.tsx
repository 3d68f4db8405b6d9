// The form of a rule: what it watches is in the address, its name and who is told are typed here.
import { type FormEvent, type ReactNode, useState } from "react";

import type { AlertLabelInput, AlertSeverity, AlertTriggerInput } from "../../../generated/graphql";
import { DIMENSIONS, useView, type View } from "../address/view";
import { type Measure, useCatalogue, wordsOf } from "../api/catalogue";
import { lower } from "../format/words";
import { Empty } from "../panels/panel";
import { useIsAdmin, useMayDecide } from "./acting";
import { FilterBar } from "./filter-bar";
import { Fault, Field } from "./form";
import { Heading } from "./heading";
import { boundOf, eventOf, operatorOf, scaleOf, severityOf, triggerOf } from "./rule-address";
import { Condition } from "./rule-condition";
import { type Previewed, RulePreview, usePreview } from "./rule-preview";
import { Section } from "./section";
import { OPERATORS } from "./trigger";
import { WithoutMeasures } from "./without-measures";

const USUAL = "DEPLOYMENT_FAILURE_RATE";

/** What of a rule is typed and not part of the address. */
type Typed = { name: string; channels: string[]; labels: AlertLabelInput[]; title: string; text: string };
export type Rule = Typed & { trigger: AlertTriggerInput; severity: AlertSeverity; project: string | null };

type Props = {
  title: string;
  /** The text of the button that saves. */
  action: string;
  first: Typed;
  /** The project of a rule that is there already, which stays; undefined for a new rule. */
  project?: string | null;
  children?: ReactNode;
  isBusy: boolean;
  fault: string | null;
  onSave: (rule: Rule) => void;
};

export function RuleForm(props: Props) {
  const view = useView();
  const all = useCatalogue();
  const mayDecide = useMayDecide();
  const measure = all.find((one) => one.measure === view.value("measure")) ?? all.find((one) => one.measure === USUAL);
  if (!mayDecide) return <Empty>Maintainers and admins make and change alerts.</Empty>;
  if (measure === undefined) return <WithoutMeasures />;
  return <Form {...props} view={view} all={all} measure={measure} />;
}

function Form({ title, action, first, project, children, isBusy, fault, onSave, view, all, measure }: Props & { view: View; all: Measure[]; measure: Measure }) {
  const [typed, setTyped] = useState(first);
  const set = (change: Partial<Typed>) => setTyped((before) => ({ ...before, ...change }));
  const owner = project === undefined ? (view.values("project")[0] ?? null) : project;
  const trigger = triggerOf(view, measure);
  const answer = usePreview(view, all, measure, trigger, owner);
  const usualName = nameOf(view, measure);
  const bound = trigger.watch?.comparison.threshold?.bound ?? null;
  const save = (event: FormEvent) => {
    event.preventDefault();
    const labels = typed.labels.filter(({ name }) => name.trim() !== "");
    onSave({ ...typed, labels, name: typed.name.trim() || usualName, trigger, severity: severityOf(view), project: owner });
  };
  const isFixed = project !== undefined;
  return (
    <>
      <Heading title={title} answer={answer} zone={view.zone} />
      {children}
      <FilterBar view={view} names={answer.data?.names} only={isFixed ? DIMENSIONS.filter((one) => one !== "project") : DIMENSIONS} />
      <div className={`panels ${answer.isStale ? "stale" : ""}`}>
        <RulePreview view={view} measure={measure} bound={bound} answer={answer} />
      </div>
      <form className="panels" onSubmit={save}>
        <Section title="When" name="form">
          <Condition view={view} all={all} measure={measure} />
        </Section>
        <Section title="What it tells, and whom" name="telling">
          <div className="form">
            <Field name="Name">
              <input placeholder={usualName} maxLength={100} value={typed.name} onChange={(event) => set({ name: event.target.value })} />
            </Field>
            <Owner owner={owner} isFixed={isFixed} />
            <Templates typed={typed} onChange={set} />
            <Channels data={answer.data} owner={owner} chosen={typed.channels} onChange={(channels) => set({ channels })} />
            <div className="whole buttons">
              <button type="submit" className="primary" disabled={isBusy}>
                {action}
              </button>
              <Fault text={fault} />
            </div>
          </div>
        </Section>
      </form>
    </>
  );
}

/** The name of a rule that is given none: what it watches. */
function nameOf(view: View, measure: Measure): string {
  const event = eventOf(view);
  if (event !== null) return `Each ${lower(event)}`;
  const than = view.value("than");
  if (than === "absence") return `No ${wordsOf(measure)}`;
  const unit = than === "" ? scaleOf(measure).text : `% of ${than.replaceAll("_", " ")}`;
  return `${wordsOf(measure)} ${OPERATORS[operatorOf(view)]} ${boundOf(view)} ${unit}`;
}

function Owner({ owner, isFixed }: { owner: string | null; isFixed: boolean }) {
  const isAdmin = useIsAdmin();
  const whose = owner === null ? "It belongs to the platform and watches all projects" : `It belongs to ${owner}`;
  const how = owner === null && !isAdmin ? ", which needs the role admin: choose a project above" : "";
  return <p className="sub">{isFixed ? `${whose}.` : `${whose}${how || "; the project above decides"}.`}</p>;
}

/** The channels that the rule can name: its project's and the platform's. */
function Channels({ data, owner, chosen, onChange }: { data: Previewed | null; owner: string | null; chosen: string[]; onChange: (chosen: string[]) => void }) {
  const offered = (data?.notificationChannels?.nodes ?? [])
    .filter(({ project }) => project === null || project.slug === owner)
    .map(({ name }) => name);
  const names = [...new Set([...offered, ...chosen])];
  const switched = (name: string, isOn: boolean) => onChange(names.filter((one) => (one === name ? isOn : chosen.includes(one))));
  return (
    <fieldset className="whole">
      <legend>Channels that are told; without one it is only shown here</legend>
      {names.map((name) => (
        <label key={name} className="check">
          <input type="checkbox" checked={chosen.includes(name)} onChange={(event) => switched(name, event.target.checked)} />
          {name}
        </label>
      ))}
      {names.length === 0 && <p className="sub">There is none yet.</p>}
    </fieldset>
  );
}

/** Labels, and templates of the message, which few rules have. */
function Templates({ typed: { labels, title, text }, onChange }: { typed: Typed; onChange: (change: Partial<Typed>) => void }) {
  const replace = (at: number, change: Partial<AlertLabelInput>) => onChange({ labels: labels.map((one, index) => (index === at ? { ...one, ...change } : one)) });
  return (
    <details className="whole" open={labels.length > 0 || title !== "" || text !== ""}>
      <summary>Labels and texts of its own</summary>
      <div className="form">
        <div className="whole matchers">
          {labels.map(({ name, value }, index) => (
            <div key={index} className="matcher">
              <input aria-label="Label" placeholder="label" value={name} onChange={(event) => replace(index, { name: event.target.value })} />
              <input aria-label="Value of the label" placeholder="value" value={value} onChange={(event) => replace(index, { value: event.target.value })} />
              <button type="button" className="quiet" onClick={() => onChange({ labels: labels.filter((_, at) => at !== index) })}>
                Remove<span className="hidden"> the label {name}</span>
              </button>
            </div>
          ))}
          <div>
            <button type="button" disabled={labels.length === 20} onClick={() => onChange({ labels: [...labels, { name: "", value: "" }] })}>
              Add a label
            </button>
          </div>
        </div>
        <Field name="Template of the title" hint="Empty for the usual one.">
          <input value={title} maxLength={4_000} onChange={(event) => onChange({ title: event.target.value })} />
        </Field>
        <Field name="Template of the text" hint="Empty for the usual one.">
          <textarea rows={3} value={text} maxLength={4_000} onChange={(event) => onChange({ text: event.target.value })} />
        </Field>
      </div>
    </details>
  );
}
