// One alert: what it says now and why, and what happened to it.
import { useState } from "react";

import { type AlertDetailQuery, graphql } from "../../../generated/graphql";
import { Link } from "../address/link";
import { go } from "../address/location";
import { useView, type View } from "../address/view";
import { withFragments } from "../api/ask";
import { useCatalogue } from "../api/catalogue";
import { useAnalytics } from "../api/use-analytics";
import { formatOf } from "../format/units";
import { ALERT, HEALTH, lower, SEVERITY } from "../format/words";
import { Empty } from "../panels/panel";
import { useMayChange, useMayDecide, useMutation } from "../parts/acting";
import { Badge } from "../parts/badge";
import { ConfirmButton } from "../parts/confirm";
import { Facts } from "../parts/facts";
import { Fault } from "../parts/form";
import { Section } from "../parts/section";
import { ThingPage } from "../parts/thing-page";
import { Moment } from "../parts/time";
import { Why } from "../parts/why";
import { Transitions } from "../parts/transitions";
import { TRIGGER_TEXT, TriggerText } from "../parts/trigger";

const QUERY = graphql(`
  query AlertDetail($id: ID!) {
    alert(id: $id) {
      id name state health problem firing severity enabled channels revision createdAt createdBy deletedAt preset
      project { slug }
      trigger { ...TriggerText }
      instances(first: 20) { name state since value bound health flapping acknowledgedBy acknowledgedAt labels { value } }
      explain(first: 10) { notes instances { name sentence labels { value } } }
      revisions(first: 20) { number change changedAt changedBy }
      events(first: 20) {
        nodes { id transition at by instance labels { value } evidence { reason deployment { deploymentId release } } }
      }
    }
  }
`);
const CHANGED = graphql(`
  subscription AlertDetailChanged($id: ID!) {
    alertChanged(alert: $id) { alert { state health enabled firing revision } }
  }
`);
const ENABLE = graphql(`
  mutation EnableAlert($id: ID!, $enabled: Boolean!) {
    done: setAlertEnabled(input: { id: $id, enabled: $enabled }) { userErrors { message } }
  }
`);
const TEST = graphql(`
  mutation TestAlert($id: ID!) {
    done: testAlert(input: { id: $id }) { tests { channel isDelivered detail } userErrors { message } }
  }
`);
const DELETE = graphql(`
  mutation DeleteAlert($id: ID!) {
    done: deleteAlert(input: { id: $id }) { userErrors { message } }
  }
`);
const ACKNOWLEDGE = graphql(`
  mutation AcknowledgeAlert($id: ID!, $instance: String!) {
    done: acknowledgeAlert(input: { id: $id, instance: $instance }) { userErrors { message } }
  }
`);

type AlertOf = NonNullable<AlertDetailQuery["alert"]>;

export default function AlertPage({ id }: { id: string }) {
  const view = useView();
  const answer = useAnalytics(withFragments(QUERY, TRIGGER_TEXT), { id }, [{ text: CHANGED, variables: { id }, of: "alert" }]);
  const alert = answer.data?.alert;
  return (
    <ThingPage
      noun="alert"
      list="/alerts"
      title={alert?.name}
      state={alert && (alert.enabled ? ALERT[alert.state] : { text: "Off", tone: "quiet" })}
      answer={answer}
      view={view}
    >
      {alert && (
        <>
          <Actions alert={alert} view={view} onDone={answer.reload} />
          <div className="panels">
            <Section title="What it watches" columns={6} name="summary">
              <p className="verdict">
                <TriggerText alert={alert} />
              </p>
              <Facts
                facts={[
                  ["Severity", <Badge word={SEVERITY[alert.severity]} />],
                  ["Project", alert.project?.slug ?? "all that its filter names"],
                  ["Told to", alert.channels.join(", ") || "nobody; it is shown here"],
                  ["Health", <Badge word={HEALTH[alert.health]} />],
                  ["Made", <Moment at={alert.createdAt} zone={view.zone} />],
                  ["By", alert.createdBy],
                  ["Preset", alert.preset],
                ]}
              />
            </Section>
            <Section title="Why it says what it says" columns={6} name="explanation">
              <Explanation alert={alert} />
            </Section>
            <Section title="Now" columns={6} name="instances">
              <Instances alert={alert} view={view} onDone={answer.reload} />
            </Section>
            <Section title="What happened" columns={6} name="history">
              {alert.events?.nodes.length === 0 && <Empty>Nothing yet.</Empty>}
              <Transitions events={alert.events?.nodes ?? []} view={view} why={({ at, instance }) => <Why alert={alert.id} at={at} instance={instance} />} />
            </Section>
            <Section title="Who changed it" columns={6} name="revisions">
              <Revisions alert={alert} view={view} />
            </Section>
          </div>
        </>
      )}
    </ThingPage>
  );
}

function Actions({ alert, view, onDone }: { alert: AlertOf; view: View; onDone: () => void }) {
  const { run, isBusy, fault } = useMutation(onDone);
  const [told, setTold] = useState<string[]>([]);
  const mayChange = useMayChange();
  if (!mayChange(alert) || alert.deletedAt !== null) return null;
  const test = async () => {
    setTold([]);
    const tests = (await run(TEST, { id: alert.id }))?.done.tests ?? [];
    setTold(tests.map(({ channel, isDelivered, detail }) => `${channel} ${isDelivered ? "took the test" : "did not take the test"}: ${detail}`));
  };
  const remove = async () => {
    if ((await run(DELETE, { id: alert.id })) !== null) go(view.link("/alerts"));
  };
  const silence = { make: "1", rule: alert.name, project: alert.project?.slug ?? null };
  return (
    <div className="filters" role="group" aria-label="Decide about this alert">
      <Link className="button" href={view.link(`/alerts/${encodeURIComponent(alert.id)}/edit`)}>
        Change
      </Link>
      <button type="button" disabled={isBusy} onClick={() => run(ENABLE, { id: alert.id, enabled: !alert.enabled })}>
        {alert.enabled ? "Switch off" : "Switch on"}
      </button>
      <Link className="button" href={view.link("/alerts/silences", silence)}>
        Silence
      </Link>
      {alert.channels.length > 0 && (
        <button type="button" disabled={isBusy} onClick={test}>
          Send a test
        </button>
      )}
      <ConfirmButton text="Delete" question={`Delete the alert “${alert.name}”? It is evaluated no more; its history stays.`} isBusy={isBusy} onConfirm={remove} />
      {told.map((one) => (
        <p key={one} className="notice" role="status" data-testid="tested">
          {one}
        </p>
      ))}
      <Fault text={fault} />
    </div>
  );
}

function Explanation({ alert: { explain } }: { alert: AlertOf }) {
  if (!explain) return <Empty>It has not been evaluated yet.</Empty>;
  return (
    <>
      <ul className="rows">
        {explain.instances.map(({ name, sentence, labels }) => (
          <li key={name} className="sentence">
            <span>
              {labels.length > 0 && <strong>{labels.map(({ value }) => value).join(", ")}: </strong>}
              {sentence}
            </span>
          </li>
        ))}
      </ul>
      {explain.notes.map((note) => (
        <p key={note} className="sub">
          {note}
        </p>
      ))}
    </>
  );
}

function Instances({ alert, view, onDone }: { alert: AlertOf; view: View; onDone: () => void }) {
  const all = useCatalogue();
  const mayDecide = useMayDecide();
  const { run, isBusy } = useMutation(onDone);
  const format = formatOf(all.find(({ measure }) => measure === alert.trigger?.watch?.measure)?.unit ?? "COUNT");
  if (!alert.instances?.length) return <Empty>Nothing is out of bounds.</Empty>;
  return (
    <ul className="rows">
      {alert.instances.map(({ name, state, since, value, bound, acknowledgedBy, labels }) => (
        <li key={name}>
          <span>
            <Badge word={ALERT[state]} /> {labels.map((one) => one.value).join(", ") || "all together"}
          </span>
          <span className="side">
            since <Moment at={since} zone={view.zone} />
          </span>
          <span className="sub">
            {value !== null && `${format(value)}, bound ${format(bound)}`}
            {acknowledgedBy !== null && ` · acknowledged by ${acknowledgedBy}`}
          </span>
          {state === "FIRING" && acknowledgedBy === null && mayDecide && (
            <button type="button" disabled={isBusy} onClick={() => run(ACKNOWLEDGE, { id: alert.id, instance: name })}>
              Acknowledge
            </button>
          )}
        </li>
      ))}
    </ul>
  );
}

function Revisions({ alert: { revisions }, view }: { alert: AlertOf; view: View }) {
  return (
    <ul className="rows">
      {(revisions ?? []).map(({ number, change, changedAt, changedBy }) => (
        <li key={number}>
          <span>
            {number}. {lower(change)} by {changedBy}
          </span>
          <span className="side">
            <Moment at={changedAt} zone={view.zone} />
          </span>
        </li>
      ))}
    </ul>
  );
}
