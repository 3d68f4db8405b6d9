// A change of an alert, by the form that makes one; refused if somebody else was faster.
import { useEffect } from "react";

import { type AlertToEditQuery, graphql } from "../../../generated/graphql";
import { Link } from "../address/link";
import { go } from "../address/location";
import { useView } from "../address/view";
import { withFragments } from "../api/ask";
import { useCatalogue } from "../api/catalogue";
import { useAnalytics } from "../api/use-analytics";
import { Empty, Loading } from "../panels/panel";
import { useMutation } from "../parts/acting";
import { Heading } from "../parts/heading";
import { addressOf, WHOLE_TRIGGER } from "../parts/rule-address";
import { type Rule, RuleForm } from "../parts/rule-form";

const QUERY = graphql(`
  query AlertToEdit($id: ID!) {
    alert(id: $id) {
      id name severity channels revision title text deletedAt
      labels { name value }
      project { slug }
      trigger { ...WholeTrigger }
    }
  }
`);
const UPDATE = graphql(`
  mutation UpdateAlert($input: UpdateAlertInput!) {
    done: updateAlert(input: $input) { alert { id revision } userErrors { message } }
  }
`);

type Alert = NonNullable<AlertToEditQuery["alert"]>;

export default function EditAlertPage({ id }: { id: string }) {
  const view = useView();
  const answer = useAnalytics(withFragments(QUERY, WHOLE_TRIGGER), { id });
  const alert = answer.data?.alert;
  return (
    <>
      <p className="crumbs">
        <Link href={view.link("/alerts")}>Alerts</Link> / <Link href={view.link(`/alerts/${encodeURIComponent(id)}`)}>{alert?.name ?? "Alert"}</Link>
      </p>
      {alert && alert.deletedAt === null ? (
        <Edit alert={alert} />
      ) : (
        <>
          <Heading title="Change an alert" answer={answer} zone={view.zone} />
          {answer.data === null && answer.problems.length === 0 ? <Loading /> : <Empty>There is no such alert, or you may not see it.</Empty>}
        </>
      )}
    </>
  );
}

function Edit({ alert }: { alert: Alert }) {
  const view = useView();
  const all = useCatalogue();
  const { run, isBusy, fault } = useMutation(() => undefined);
  const own = `/alerts/${encodeURIComponent(alert.id)}`;
  const isFilled = view.value("measure") !== "" || view.value("event") !== "" || alert.trigger === null;
  useEffect(() => {
    if (isFilled || all.length === 0 || alert.trigger === null) return;
    const empty = { project: null, network: null, template: null, environment: null };
    go(view.link(`${own}/edit`, { ...empty, ...addressOf(alert.trigger, alert.severity, all) }), { replace: true });
  }, [isFilled, all, alert, view, own]);
  if (!isFilled) return <Loading />;
  const { name, channels, labels, title, text } = alert;
  const save = async ({ project: _stays, ...rule }: Rule) => {
    const done = await run(UPDATE, { input: { id: alert.id, revision: alert.revision, ...rule } });
    if (done !== null) go(view.link(own, { network: null, template: null, environment: null }));
  };
  return (
    <RuleForm
      title={`Change “${name}”`}
      action="Save"
      project={alert.project?.slug ?? null}
      first={{ name, channels, labels, title: title ?? "", text: text ?? "" }}
      isBusy={isBusy}
      fault={fault}
      onSave={save}
    />
  );
}
