// How the deployments of each day or longer ended, and how many there are a day.
import { graphql } from "../../../generated/graphql";
import { percent, rate } from "../format/numbers";
import { OutcomesChart } from "../charts/outcomes";
import { Empty, panel } from "./panel";

const fragment = graphql(`
  fragment Daily on Query {
    deploymentStats(filter: $filter, range: $range, timeZone: $zone) {
      attempts finished frequencyPerDay successRate
      days: series(interval: $daily) { start end open succeeded failed cancelled rolledBack queued inProgress }
    }
  }
`);

export const daily = panel({
  name: "daily",
  title: "Outcomes over time",
  columns: 4,
  fragment,
  roots: ["deploymentStats"],
  View({ data, view }) {
    const { attempts, finished, frequencyPerDay, successRate, days } = data.deploymentStats;
    if (attempts === 0) return <Empty>Nothing was deployed in this time.</Empty>;
    return (
      <>
        <p className="said">
          <strong>{rate(frequencyPerDay)}</strong> finished a day{finished > 0 && <>, {percent(successRate)} of them successfully</>}.
        </p>
        <OutcomesChart label="Outcomes over time" points={days ?? []} view={view} height={140} />
      </>
    );
  },
});
