// The alerts of one project, those that fire first.
import { graphql, type ProjectAlertsFragment } from "../../../generated/graphql";
import { Link } from "../address/link";
import type { View } from "../address/view";
import { ALERT, SEVERITY } from "../format/words";
import { Badge } from "../parts/badge";
import { TriggerText } from "../parts/trigger";
import { type Data, Empty, panel } from "./panel";

const fragment = graphql(`
  fragment ProjectAlerts on Query {
    alerts(filter: { projects: [$slug], enabled: true }, first: 6) {
      nodes {
        id name state severity problem
        trigger {
          watch {
            measure window for groupBy
            comparison { threshold { operator bound } change { operator factor baseline } absence }
            filter { names }
          }
          event { kind filter { names } }
        }
      }
    }
  }
`);

export const projectAlerts = panel({
  name: "alerts",
  title: "Alerts",
  columns: 4,
  fragment,
  roots: ["alerts"],
  View: Alerts,
});

function Alerts({ data, view }: { data: Data<ProjectAlertsFragment, "alerts">; view: View }) {
  const { nodes } = data.alerts;
  if (nodes.length === 0) return <Empty>No alert watches this project yet.</Empty>;
  return (
    <ul className="rows">
      {nodes.map((alert) => (
        <li key={alert.id}>
          <Link href={view.link(`/alerts/${encodeURIComponent(alert.id)}`)} className="main">
            {alert.name}
          </Link>
          <span className="side">
            <Badge word={alert.state === "INACTIVE" ? ALERT.INACTIVE : SEVERITY[alert.severity]} />
          </span>
          <span className="sub">
            <TriggerText alert={alert} />
          </span>
        </li>
      ))}
    </ul>
  );
}
