// A page beside the alerts, of one project or all: things that decide whom alerts tell, and the form that makes one.
import type { ReactNode } from "react";

import { Link } from "../address/link";
import { useAddress } from "../address/location";
import type { View } from "../address/view";
import type { Answer } from "../api/use-analytics";
import { useMayDecide } from "./acting";
import { AlertTabs } from "./alert-tabs";
import { Choice } from "./filter-bar";
import { Heading } from "./heading";
import { Section } from "./section";

type Viewer = { projects: { nodes: { slug: string }[] } | null } | null | undefined;

type Props = {
  title: string;
  /** What one of them is called: `silence`. */
  noun: string;
  view: View;
  answer: Answer<{ viewer: Viewer }>;
  /** The form, for somebody who sees these projects. */
  form: (projects: string[]) => ReactNode;
  children: ReactNode;
};

export function MadeList({ title, noun, view, answer, form, children }: Props) {
  const { path } = useAddress();
  const mayDecide = useMayDecide();
  const isMaking = mayDecide && view.value("make") !== "";
  const viewer = answer.data?.viewer;
  const slugs = (viewer?.projects?.nodes ?? []).map(({ slug }) => slug);
  return (
    <>
      <Heading title={title} answer={answer} zone={view.zone}>
        {mayDecide && !isMaking && <Link href={view.link(path, { make: "1" })}>New {noun}</Link>}
      </Heading>
      <div className="filters">
        <AlertTabs view={view} />
        <Choice label="project" value={view.value("project")} options={slugs} onChange={(project) => view.change({ project })} />
      </div>
      <div className={`panels ${answer.isStale ? "stale" : ""}`}>
        {isMaking && viewer && (
          <Section title={`New ${noun}`} name="make">
            {form(slugs)}
          </Section>
        )}
        {children}
      </div>
    </>
  );
}
