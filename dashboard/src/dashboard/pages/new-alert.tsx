// A new alert, with what it would have told of in the range; from a chart, from a preset, or from nothing.
import { useState } from "react";

import { graphql } from "../../../generated/graphql";
import { Link } from "../address/link";
import { go } from "../address/location";
import { useView, type View } from "../address/view";
import { withFragments } from "../api/ask";
import { type Measure, useCatalogue } from "../api/catalogue";
import { useAnalytics } from "../api/use-analytics";
import { SEVERITY } from "../format/words";
import { Loading } from "../panels/panel";
import { useMutation } from "../parts/acting";
import { Badge } from "../parts/badge";
import { addressOf, WHOLE_TRIGGER } from "../parts/rule-address";
import { type Rule, RuleForm } from "../parts/rule-form";

const PRESETS = graphql(`
  query AlertPresets {
    alertPresets {
      name title description severity ofProject
      trigger { ...WholeTrigger }
    }
  }
`);
const CREATE = graphql(`
  mutation NewAlert($input: CreateAlertInput!) {
    done: createAlert(input: $input) { alert { id } userErrors { message } }
  }
`);

export default function NewAlertPage() {
  const view = useView();
  const { run, isBusy, fault } = useMutation(() => undefined);
  const name = view.value("name");
  const create = async ({ title, text, ...rule }: Rule) => {
    const made = await run(CREATE, { input: { ...rule, title: title || null, text: text || null } });
    const id = made?.done.alert?.id;
    if (id !== undefined) go(view.link(`/alerts/${encodeURIComponent(id)}`));
  };
  return (
    <>
      <p className="crumbs">
        <Link href={view.link("/alerts")}>Alerts</Link>
      </p>
      <RuleForm key={name} title="New alert" action="Create alert" first={{ name, channels: [], labels: [], title: "", text: "" }} isBusy={isBusy} fault={fault} onSave={create}>
        <Presets view={view} />
      </RuleForm>
    </>
  );
}

/** The alerts that most people want; they are asked once somebody wants to see them. */
function Presets({ view }: { view: View }) {
  const [isOpen, setIsOpen] = useState(false);
  const all = useCatalogue();
  return (
    <details className="presets" open={isOpen} onToggle={(event) => setIsOpen(event.currentTarget.open)}>
      <summary>Begin with a preset</summary>
      {isOpen && all.length > 0 && <PresetList view={view} all={all} />}
    </details>
  );
}

function PresetList({ view, all }: { view: View; all: Measure[] }) {
  const answer = useAnalytics(withFragments(PRESETS, WHOLE_TRIGGER), {});
  const project = view.values("project")[0];
  if (answer.data === null && answer.problems.length === 0) return <Loading />;
  const offered = (answer.data?.alertPresets ?? []).filter(({ ofProject }) => ofProject || project === undefined);
  return (
    <ul className="preset-list">
      {offered.map(({ name, title, description, severity, trigger }) => (
        <li key={name}>
          <Link href={view.link("/alerts/new", { ...addressOf(trigger, severity, all), name: title })}>{title}</Link> <Badge word={SEVERITY[severity]} />
          <span className="sub">{description}</span>
        </li>
      ))}
    </ul>
  );
}
