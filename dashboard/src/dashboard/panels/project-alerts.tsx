// The alerts of one project, those that fire first.
import { graphql } from "../../../generated/graphql";
import { withFragments } from "../api/ask";
import { ALERT, SEVERITY } from "../format/words";
import { Badge } from "../parts/badge";
import { Row } from "../parts/row";
import { TRIGGER_TEXT, TriggerText } from "../parts/trigger";
import { Empty, panel } from "./panel";

const fragment = graphql(`
  fragment ProjectAlerts on Query {
    alerts(filter: { projects: [$slug], enabled: true }, first: 6) {
      nodes {
        id name state severity problem
        trigger { ...TriggerText }
      }
    }
  }
`);

export const projectAlerts = panel({
  name: "alerts",
  title: "Alerts",
  columns: 4,
  fragment: withFragments(fragment, TRIGGER_TEXT),
  roots: ["alerts"],
  View({ data, view }) {
    const { nodes } = data.alerts;
    if (nodes.length === 0) return <Empty>No alert watches this project yet.</Empty>;
    return (
      <ul className="rows">
        {nodes.map((alert) => (
          <Row
            key={alert.id}
            href={view.link(`/alerts/${encodeURIComponent(alert.id)}`)}
            title={alert.name}
            side={<Badge word={alert.state === "INACTIVE" ? ALERT.INACTIVE : SEVERITY[alert.severity]} />}
          >
            <TriggerText alert={alert} />
          </Row>
        ))}
      </ul>
    );
  },
});
