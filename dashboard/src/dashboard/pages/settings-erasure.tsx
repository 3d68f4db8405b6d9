// Erasing a user's data from a project: what will happen, the question, and the report.
import { useState } from "react";

import { type EraseUserMutation, graphql } from "../../../generated/graphql";
import { useView, type View } from "../address/view";
import { useAnalytics } from "../api/use-analytics";
import { exact } from "../format/numbers";
import { lower } from "../format/words";
import { Empty } from "../panels/panel";
import { useIsAdmin } from "../parts/acting";
import type { Control, Values } from "../parts/controls";
import { MutationForm } from "../parts/mutation-form";
import { Section } from "../parts/section";
import { SettingsPage } from "../parts/settings-page";
import { type Column, Table } from "../parts/table";

const QUERY = graphql(`
  query ErasureProjects { viewer { projects(first: 100) { nodes { slug } } } }
`);
const ERASE = graphql(`
  mutation EraseUser($input: EraseUserInput!) {
    done: eraseUser(input: $input) {
      rows { name count }
      archives { name count }
      keptInNames { name count }
      userErrors { message }
    }
  }
`);

const CONTROLS: Control<"userId">[] = [{ name: "userId", label: "Id of the user", hint: "As events give it: of errors, or as an actor. Upper and lower case count.", most: 320 }];

type Report = { user: string; project: string; done: EraseUserMutation["done"] };
type Count = NonNullable<Report["done"]["rows"]>[number];

export default function ErasurePage() {
  const view = useView();
  const isAdmin = useIsAdmin();
  const answer = useAnalytics(QUERY, {});
  const [report, setReport] = useState<Report | null>(null);
  return (
    <SettingsPage title="Erase a user" view={view} answer={answer} viewer={answer.data?.viewer ?? null}>
      <Section title={`A user of ${view.slug}`} name="erase">
        {isAdmin ? (
          <MutationForm
            mutation={ERASE}
            controls={CONTROLS}
            fixed={{ project: view.slug }}
            submit="Erase the user"
            question={(values) => <Question values={values} project={view.slug} />}
            onDone={({ done }, values) => setReport({ user: (values.userId ?? "").trim(), project: view.slug, done })}
          />
        ) : (
          <Empty>Only admins erase users.</Empty>
        )}
      </Section>
      {report !== null && <ReportSection report={report} view={view} />}
    </SettingsPage>
  );
}

function Question({ values, project }: { values: Values; project: string }) {
  return (
    <>
      <p>
        Erase “{values.userId?.trim()}” from {project}? This cannot be undone.
      </p>
      <ul>
        <li>In every row and archive file of the project another name takes the place of this id. Rows, counts and numbers of users stay.</li>
        <li>A member of this name leaves the project, and gets no more mail from its channels.</li>
        <li>Names of endpoints, functions and the like, and the texts of alert rules, silences, channels and panels stay. The report counts those that hold the id.</li>
        <li>What was forwarded to another server is not searched.</li>
      </ul>
    </>
  );
}

function ReportSection({ report: { user, project, done }, view }: { report: Report; view: View }) {
  const parts: [title: string, counts: Count[] | null, none: string][] = [
    ["Rows changed", done.rows, "No row named this user."],
    ["Lines changed in archives", done.archives, "No line of an archive named this user."],
    ["Names that still hold the id", done.keptInNames, "No name holds the id."],
  ];
  return (
    <Section title={`Erased: ${user} of ${project}`} name="report">
      <div role="status">
        {parts.map(([title, counts, none]) => (
          <div key={title}>
            <h3>{title}</h3>
            {counts && counts.length > 0 ? <Table label={title} columns={COLUMNS} rows={counts} keyOf={({ name }) => name} view={view} /> : <Empty>{none}</Empty>}
          </div>
        ))}
      </div>
    </Section>
  );
}

const COLUMNS: Column<Count>[] = [
  { title: "Where", cell: ({ name }) => lower(name) },
  { title: "How many", isNumber: true, cell: ({ count }) => exact(count) },
];
