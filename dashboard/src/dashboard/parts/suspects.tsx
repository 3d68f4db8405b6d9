// The deployments that may have brought an error, with the evidence.
import type { ErrorDetailQuery } from "../../../generated/graphql";
import { Link } from "../address/link";
import type { View } from "../address/view";
import { counted } from "../format/numbers";
import type { Word } from "../format/words";
import { lower } from "../format/words";
import { Empty } from "../panels/panel";
import { Badge } from "./badge";
import { Moment } from "./time";

type SuspectsOf = NonNullable<ErrorDetailQuery["error"]>["suspects"];

const SUSPICION: Record<string, Word> = {
  SUSPECT: { text: "Suspect", tone: "bad" },
  INCONCLUSIVE: { text: "Unclear", tone: "quiet" },
  UNLIKELY: { text: "Unlikely", tone: "quiet" },
};
const probability = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 2 });

export function Suspects({ suspects, view }: { suspects: SuspectsOf; view: View }) {
  if (!suspects || suspects.deployments.length === 0) return <Empty>No deployment came shortly before it.</Empty>;
  return (
    <>
      <p className="verdict">
        {lower(suspects.change)} at <Moment at={suspects.at} zone={view.zone} />
      </p>
      <ul className="rows">
        {suspects.deployments.map(({ deployment, suspicion, pValue, before, after, beganWithRelease, compareUrl }) => (
          <li key={String(deployment.deploymentId)}>
            <Link href={view.link(`/deployments/${deployment.deploymentId}`)} className="main">
              {deployment.release ?? String(deployment.deploymentId)}
            </Link>
            <Badge word={SUSPICION[suspicion] ?? { text: lower(suspicion), tone: "quiet" }} />
            <span className="sub">
              {counted(before.events, "time")} before it, {counted(after.events, "time")} after it
              {beganWithRelease && ", only in this release"} · p = {probability.format(pValue)} ·{" "}
              <Moment at={deployment.createdAt} zone={view.zone} />
              {compareUrl !== null && /^https:/.test(compareUrl) && (
                <>
                  {" · "}
                  <a href={compareUrl} rel="noreferrer">
                    changes
                  </a>
                </>
              )}
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}
