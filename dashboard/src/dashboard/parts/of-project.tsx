// A page of settings about one project: which one is in the address; the choice stands above what it shows.
import type { View } from "../address/view";
import { Choice } from "./filter-bar";

/** The variables that choose the project of the address; without one nothing of a project is asked. */
export function projectOf({ slug }: View) {
  return { project: slug, hasProject: slug !== "" };
}

export function ProjectFilter({ view, projects }: { view: View; projects: string[] }) {
  return <Choice label="project" none="choose a project" value={view.slug} options={[...new Set([...projects, ...(view.slug ? [view.slug] : [])])]} onChange={(project) => view.change({ project })} />;
}
