// Who is signed in: roles, what they may do, and the projects they reach.
import { graphql, type Role } from "../../../generated/graphql";
import { Link } from "../address/link";
import { useView } from "../address/view";
import { session } from "../api/session";
import { useAnalytics } from "../api/use-analytics";
import { counted } from "../format/numbers";
import { lower } from "../format/words";
import { Empty } from "../panels/panel";
import { Facts } from "../parts/facts";
import { Heading } from "../parts/heading";
import { Section } from "../parts/section";
import { SettingsTabs } from "../parts/settings-tabs";
import { Table } from "../parts/table";
import { Waiting } from "../parts/waiting";

const QUERY = graphql(`
  query You {
    viewer {
      subject roles
      projects(first: 100) { totalCount isEstimate nodes { id slug name createdAt environments { name } } }
    }
  }
`);

const MAY: Record<Role, string> = {
  VIEWER: "reads the token's projects",
  MAINTAINER: "reads the token's projects, and manages their alerts, errors, keys and panels",
  INGEST: "records events of the token's projects, and reads nothing",
  ADMIN: "reads, records and administers everything",
};

export default function SettingsPage() {
  const view = useView();
  const answer = useAnalytics(QUERY, {});
  const viewer = answer.data?.viewer;
  const projects = viewer?.projects;
  return (
    <>
      <Heading title="Settings" answer={answer} zone={view.zone} />
      <div className="filters">
        <SettingsTabs view={view} />
      </div>
      <div className="panels">
        <Section title="Signed in" name="you">
          {!viewer && <Waiting answer={answer} />}
          {viewer && (
            <>
              <Facts facts={[["Subject", viewer.subject], ...viewer.roles.map((role): [string, string] => [`Role: ${lower(role)}`, MAY[role]])]} />
              <p>
                <button type="button" onClick={() => session.leave()}>
                  Sign out, to use another token
                </button>
              </p>
            </>
          )}
        </Section>
        <Section title={projects ? `Projects you can see: ${counted(projects.totalCount, "project")}` : "Projects you can see"} name="projects">
          {viewer && !projects && <Empty>The role of this token sees no projects.</Empty>}
          {projects?.nodes.length === 0 && <Empty>There is none yet. The first event of a project makes it.</Empty>}
          {projects && projects.nodes.length > 0 && (
            <Table
              label="Projects"
              columns={[
                { title: "Project", cell: ({ slug, name }) => <><Link href={view.link(`/projects/${encodeURIComponent(slug)}`)}>{slug}</Link>{name !== slug && <span className="sub">{name}</span>}</> },
                { title: "Environments", cell: ({ environments }) => (environments ?? []).map(({ name }) => name).join(", ") },
              ]}
              rows={projects.nodes}
              keyOf={({ id }) => id}
              view={view}
            />
          )}
        </Section>
      </div>
    </>
  );
}
