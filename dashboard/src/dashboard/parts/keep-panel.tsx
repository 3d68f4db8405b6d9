// Keeps a chart of the explorer in the page of its project.
import { type FormEvent, useState } from "react";

import { type Dimension, graphql } from "../../../generated/graphql";
import { Link } from "../address/link";
import { go } from "../address/location";
import type { View } from "../address/view";
import type { Measure } from "../api/catalogue";
import { useMayDecide, useMutation } from "./acting";
import { Fault } from "./form";
import { metricFilterOf } from "./measure-choice";
import { moreOf } from "./rule-address";

const KEEP = graphql(`
  mutation KeepPanel($input: KeepPanelInput!) {
    done: keepPanel(input: $input) { panel { id } userErrors { message } }
  }
`);

type Props = { view: View; measure: Measure; by: Dimension | null; usualTitle: string };

export function KeepPanel({ view, measure, by, usualTitle }: Props) {
  const [title, setTitle] = useState("");
  const { run, isBusy, fault } = useMutation(() => undefined);
  if (!useMayDecide()) return null;
  if (view.slug === "") return <p className="sub">Choose a project to keep this chart in its page.</p>;
  const page = view.link(`/projects/${encodeURIComponent(view.slug)}`);
  const keep = async (event: FormEvent) => {
    event.preventDefault();
    const filter = { ...metricFilterOf(view, measure), ...moreOf(view) };
    delete filter.projects; // a panel is about its project
    const input = { project: view.slug, title: title.trim() || usualTitle, measure: measure.measure, groupBy: by === null ? [] : [by], filter };
    if ((await run(KEEP, { input })) !== null) go(page);
  };
  return (
    <form className="buttons" onSubmit={keep}>
      <span className="choice search">
        <input aria-label="Title of the panel" placeholder={usualTitle} maxLength={100} value={title} onChange={(event) => setTitle(event.target.value)} />
      </span>
      <button type="submit" disabled={isBusy}>
        Keep in the page of {view.slug}
      </button>
      <Link href={page}>Its page</Link>
      <Fault text={fault} />
    </form>
  );
}
