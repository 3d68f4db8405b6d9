// Telemetry of the platform, for admins: active projects, counts, the split among networks and the adoption of templates.
import { graphql, type Text } from "../../../generated/graphql";
import { useView } from "../address/view";
import { useAnalytics } from "../api/use-analytics";
import { activeProjects } from "../panels/active-projects";
import { adoption } from "../panels/adoption";
import { networkSplit } from "../panels/network-split";
import { outcomes } from "../panels/outcomes";
import { Panels } from "../panels/panel";
import { queryOf, variablesOf } from "../panels/query";
import { Elsewhere } from "../parts/elsewhere";
import { FILTER_NAMES, FilterBar, type Names } from "../parts/filter-bar";
import { type Fresh, Heading } from "../parts/heading";
import { ManyTabs } from "../parts/tabs";
import { DEPLOYMENTS_CHANGED } from "./overview";

const WHOLE = graphql(`
  fragment TelemetryWhole on Query {
    split: deploymentStats(filter: $everywhere, range: $range, timeZone: $zone) {
      attempts queued inProgress succeeded failed cancelled rolledBack
      freshness { asOf complete }
    }
  }
`);
const PANELS = [activeProjects, { ...outcomes, title: "Deployment counts", columns: 6 }, networkSplit, adoption];
const QUERY = queryOf("Telemetry", [...PANELS.map(({ fragment }) => fragment), FILTER_NAMES, WHOLE]) as Text<Telemetry, object>;

type Telemetry = Record<string, unknown> & { names?: Names; split?: { attempts: number; freshness: Fresh } | null };

export default function TelemetryPage() {
  const view = useView();
  const { everywhere, range, zone } = view;
  const answer = useAnalytics(QUERY, variablesOf(QUERY, view), [{ text: DEPLOYMENTS_CHANGED, variables: { filter: everywhere, range, zone }, of: "split" }]);
  const networks = (answer.data?.names?.byNetwork ?? []).flatMap(({ name }) => name ?? []);
  const chosen = view.values("network");
  return (
    <>
      <Heading title="Telemetry" answer={answer} freshness={answer.data?.split?.freshness} zone={zone} />
      <FilterBar view={view} names={answer.data?.names} only={["template", "environment"]} />
      <div className="filters">
        <ManyTabs
          label="Network"
          chosen={chosen}
          tabs={[{ value: "", label: "All networks" }, ...[...new Set([...networks, ...chosen])].map((name) => ({ value: name, label: name }))]}
          onChoose={(names) => view.change({ network: names })}
        />
      </div>
      {answer.data?.split?.attempts === 0 && <Elsewhere measure="DEPLOYMENT_ATTEMPTS" filter={everywhere} view={view} />}
      <Panels panels={PANELS} answer={answer} view={view} />
    </>
  );
}
