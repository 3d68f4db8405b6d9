// One project: its figures, alerts, newest errors and deployments, and the panels that were kept for it.
import { graphql, type KeptPanelsFragment, type Text } from "../../../generated/graphql";
import { Link } from "../address/link";
import { useView, type View } from "../address/view";
import { useAnalytics } from "../api/use-analytics";
import { headline } from "../panels/headline";
import { latest } from "../panels/latest";
import { newErrors } from "../panels/new-errors";
import { failures } from "../panels/failures";
import { Empty, PanelFrame } from "../panels/panel";
import { projectAlerts } from "../panels/project-alerts";
import { queryOf, variablesOf } from "../panels/query";
import { Elsewhere } from "../parts/elsewhere";
import { FilterBar } from "../parts/filter-bar";
import { type Fresh, Heading } from "../parts/heading";
import { KeptPanels } from "../parts/kept-panels";
import { DEPLOYMENTS_CHANGED } from "./overview";

const PROJECT = graphql(`
  fragment KeptPanels on Query {
    project(slug: $slug) {
      slug name
      panels { id title measure groupBy filter { dimension names } problem keptAt keptBy }
    }
  }
`);
const PANELS = [headline, projectAlerts, newErrors, failures, latest];
const QUERY = queryOf("ProjectPage", [...PANELS.map(({ fragment }) => fragment), PROJECT]) as Text<Page, object>;

type Page = Record<string, unknown> & Partial<KeptPanelsFragment> & { deploymentStats?: { attempts: number; freshness: Fresh } | null };

export default function ProjectPage({ id: slug }: { id: string }) {
  const view = ofProject(useView(), slug);
  const { filter, range, zone } = view;
  const answer = useAnalytics(QUERY, variablesOf(QUERY, view), [{ text: DEPLOYMENTS_CHANGED, variables: { filter, range, zone }, of: "deploymentStats" }]);
  const project = answer.data?.project;
  return (
    <>
      <Heading title={project?.name ?? slug} answer={answer} freshness={answer.data?.deploymentStats?.freshness} zone={zone}>
        <Link href={view.link("/explorer")}>Add a chart</Link>
      </Heading>
      {answer.data !== null && project === null ? (
        <Empty>There is no such project, or you may not see it.</Empty>
      ) : (
        <>
          <FilterBar view={view} names={undefined} only={[]} hasComparison />
          {answer.data?.deploymentStats?.attempts === 0 && <Elsewhere measure="DEPLOYMENT_ATTEMPTS" filter={filter} view={view} />}
          <div className={`panels ${answer.isStale ? "stale" : ""}`}>
            {[headline, projectAlerts, newErrors, failures].map((panel) => (
              <PanelFrame key={panel.name} panel={panel} answer={answer} view={view} />
            ))}
            {project && <KeptPanels panels={project.panels ?? []} view={view} onDone={answer.reload} />}
            <PanelFrame panel={latest} answer={answer} view={view} />
          </div>
        </>
      )}
    </>
  );
}

/** The view of one project, whichever the address filters by; its links go on with the project. */
function ofProject(view: View, slug: string): View {
  return {
    ...view,
    slug,
    filter: { ...view.filter, projects: [slug] },
    errorFilter: { ...view.errorFilter, projects: [slug] },
    buildFilter: { ...view.buildFilter, projects: [slug] },
    phaseFilter: { ...view.phaseFilter, projects: [slug] },
    functionFilter: { ...view.functionFilter, projects: [slug] },
    apiFilter: { ...view.apiFilter, projects: [slug] },
    link: (path, change = {}) => view.link(path, { project: slug, ...change }),
  };
}
