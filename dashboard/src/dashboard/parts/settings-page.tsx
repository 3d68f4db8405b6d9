// A page of the settings: its title, the way to the others, and for one about a project the choice of it.
import type { ReactNode } from "react";

import type { View } from "../address/view";
import type { Answer } from "../api/use-analytics";
import { Empty } from "../panels/panel";
import { Choice } from "./filter-bar";
import { Heading } from "./heading";
import { Section } from "./section";
import { SettingsTabs } from "./settings-tabs";

/** The variables that choose the project of the address; without one nothing of a project is asked. */
export function projectOf({ slug }: View) {
  return { project: slug, hasProject: slug !== "" };
}

type Viewer = { projects: { nodes: { slug: string }[] } | null };

type Props = {
  title: string;
  view: View;
  answer: Answer<unknown>;
  /** Whose projects are there to choose from, on a page about one of them: null until it is known. */
  viewer?: Viewer | null;
  children: ReactNode;
};

export function SettingsPage({ title, view, answer, viewer, children }: Props) {
  const isOfProject = viewer !== undefined;
  return (
    <>
      <Heading title={title} answer={answer} zone={view.zone}>
        {isOfProject && <ProjectFilter view={view} projects={(viewer?.projects?.nodes ?? []).map(({ slug }) => slug)} />}
      </Heading>
      <div className="filters">
        <SettingsTabs view={view} />
      </div>
      <div className={`panels ${answer.isStale ? "stale" : ""}`}>
        {isOfProject && view.slug === "" && answer.data !== null ? (
          <Section title="Nothing is chosen" name="choose">
            <Empty>Choose a project beside the title.</Empty>
          </Section>
        ) : (
          children
        )}
      </div>
    </>
  );
}

function ProjectFilter({ view, projects }: { view: View; projects: string[] }) {
  return <Choice label="project" none="choose a project" value={view.slug} options={[...new Set([...projects, ...(view.slug ? [view.slug] : [])])]} onChange={(project) => view.change({ project })} />;
}
