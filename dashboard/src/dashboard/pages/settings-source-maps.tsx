// The source maps of a project's releases: which there are and what is wrong with them, uploading and deleting them.
import { type FormEvent, useState } from "react";

import { graphql, type SourceMapsQuery } from "../../../generated/graphql";
import { Link } from "../address/link";
import { useAddress } from "../address/location";
import { useView, type View } from "../address/view";
import { upload } from "../api/upload";
import { useAnalytics } from "../api/use-analytics";
import { counted, exact, NOTHING, size } from "../format/numbers";
import type { Word } from "../format/words";
import { Empty } from "../panels/panel";
import { useMayRecord, useMutation } from "../parts/acting";
import { Badge } from "../parts/badge";
import { ConfirmButton } from "../parts/confirm";
import { type Control, Controls } from "../parts/controls";
import { Field } from "../parts/form";
import { ListSection } from "../parts/list-section";
import { Search } from "../parts/search";
import { Section } from "../parts/section";
import { projectOf, SettingsPage } from "../parts/settings-page";
import { type Column, Table } from "../parts/table";
import { Ago } from "../parts/time";

const QUERY = graphql(`
  query SourceMaps($project: String!, $release: String, $hasProject: Boolean!) {
    sourceMaps(project: $project, release: $release) @include(if: $hasProject) { release url mapBytes scriptBytes problem uploadedBy uploadedAt }
    viewer { projects(first: 100) { nodes { slug } } }
  }
`);
const DELETE = graphql(`
  mutation DeleteSourceMaps($input: DeleteSourceMapsInput!) {
    done: deleteSourceMaps(input: $input) { deleted userErrors { message } }
  }
`);

type SourceMap = NonNullable<SourceMapsQuery["sourceMaps"]>[number];

export default function SourceMapsPage() {
  const view = useView();
  const release = view.value("release");
  const answer = useAnalytics(QUERY, { ...projectOf(view), release: release || null });
  const { sourceMaps: maps, viewer } = answer.data ?? {};
  const { run, isBusy, fault } = useMutation(answer.reload);
  const remove = (of: { release: string; url: string | null }) => void run(DELETE, { input: { project: view.slug, ...of } });
  const columns: Column<SourceMap>[] = [
    ...COLUMNS,
    {
      title: "Delete",
      cell: ({ release: of, url }) => (
        <ConfirmButton text="Delete" question={`Delete the files of ${url} in ${of}? Errors that were mapped stay so; later ones are not mapped.`} isBusy={isBusy} onConfirm={() => remove({ release: of, url })} />
      ),
    },
  ];
  return (
    <SettingsPage title="Source maps" view={view} answer={answer} viewer={viewer ?? null}>
      {maps && <Upload view={view} onDone={answer.reload} />}
      <ListSection
        title={release === "" ? "Scripts of all releases, the last uploads first" : `Scripts of ${release}`}
        name="maps"
        label="Source maps"
        answer={answer}
        rows={maps}
        columns={columns}
        keyOf={({ release: of, url }) => `${of} ${url}`}
        view={view}
        empty={release === "" ? "No file was uploaded yet, so minified stack traces stay as they are." : "This release has no files. Releases match exactly."}
        fault={fault}
      >
        <div className="buttons below">
          {(release !== "" || (maps && maps.length > 0)) && <Search view={view} name="release" label="Only this release" />}
          {maps && maps.length > 0 && release !== "" && (
            <ConfirmButton
              text="Delete all of this release"
              question={`Delete the files of ${counted(maps.length, "script")} of ${release}? Errors that were mapped stay so; later ones are not mapped.`}
              isBusy={isBusy}
              onConfirm={() => remove({ release, url: null })}
            />
          )}
        </div>
      </ListSection>
    </SettingsPage>
  );
}

function stateOf({ problem, mapBytes }: SourceMap): Word {
  if (problem !== null) return { text: "Cannot be applied", tone: "bad" };
  return mapBytes === 0 ? { text: "Its map is missing", tone: "warn" } : { text: "Ready", tone: "good" };
}

const COLUMNS: Column<SourceMap>[] = [
  { title: "Script", cell: ({ url }) => <code>{url}</code> },
  { title: "Release", cell: ({ release }, view) => <OfRelease release={release} view={view} /> },
  { title: "State", isText: true, cell: (map) => <><Badge word={stateOf(map)} />{map.problem !== null && <span className="sub">{map.problem}</span>}</> },
  { title: "Map", isNumber: true, cell: ({ mapBytes }) => (mapBytes === 0 ? NOTHING : size(mapBytes)), exactly: ({ mapBytes }) => `${exact(mapBytes)} bytes` },
  { title: "Script itself", isNumber: true, cell: ({ scriptBytes }) => (scriptBytes === 0 ? NOTHING : size(scriptBytes)), exactly: ({ scriptBytes }) => `${exact(scriptBytes)} bytes` },
  { title: "Uploaded", cell: ({ uploadedAt, uploadedBy }, { zone }) => <><Ago at={uploadedAt} zone={zone} /> by {uploadedBy}</> },
];

function OfRelease({ release, view }: { release: string; view: View }) {
  const { path } = useAddress();
  return <Link href={view.link(path, { release })}>{release}</Link>;
}

const CONTROLS: Control[] = [
  { name: "release", label: "Release", hint: "As the SDK sends it, such as shop@1.2.3." },
  { name: "folder", label: "Where the scripts are", hint: "~/ stands for any host; a whole address such as https://cdn.example.com/ only for that one." },
];
const MAP_ENDING = ".map";

type Sent = { file: string; refused: string | null };

function Upload({ view, onDone }: { view: View; onDone: () => void }) {
  const [values, setValues] = useState<Record<string, string>>({ release: view.value("release"), folder: "~/" });
  const [files, setFiles] = useState<File[]>([]);
  const [sent, setSent] = useState<Sent[]>([]);
  const [isBusy, setIsBusy] = useState(false);
  const mayRecord = useMayRecord();
  const send = async (event: FormEvent) => {
    event.preventDefault();
    setIsBusy(true);
    setSent([]);
    for (const file of inOrder(files)) {
      const refused = await upload({ ...placeOf(file.name, view.slug, values), content: file });
      setSent((before) => [...before, { file: file.name, refused }]);
    }
    setIsBusy(false);
    onDone();
  };
  return (
    <Section title={`Upload files of ${view.slug}`} name="upload">
      {mayRecord ? (
        <form className="form" onSubmit={send}>
          <Controls controls={CONTROLS} values={values} onChange={setValues} />
          <Field name="Files" hint="Scripts (.js) and their maps (.js.map), at most 50 MB each.">
            <input type="file" multiple required onChange={(event) => setFiles([...(event.target.files ?? [])])} />
          </Field>
          <div className="whole buttons">
            <button type="submit" className="primary" disabled={isBusy}>
              Upload
            </button>
            <span role="status">{isBusy && `${sent.length} of ${counted(files.length, "file")} …`}</span>
          </div>
        </form>
      ) : (
        <Empty>Files are uploaded with the role ingest, most often at the end of a build.</Empty>
      )}
      {sent.length > 0 && <Table label="What became of the files" columns={SENT} rows={sent} keyOf={({ file }) => file} view={view} />}
    </Section>
  );
}

/** Scripts first: a trace is not mapped again when the script comes after the map. */
function inOrder(files: File[]): File[] {
  return files.toSorted((one, other) => Number(one.name.endsWith(MAP_ENDING)) - Number(other.name.endsWith(MAP_ENDING)));
}

/** Where a file is sent, and as what: a map belongs to the script whose name it has before its ending. */
function placeOf(name: string, slug: string, { release = "", folder = "" }: Record<string, string>) {
  const isMap = name.endsWith(MAP_ENDING);
  const script = `${folder.trim().replace(/\/$/, "")}/${isMap ? name.slice(0, -MAP_ENDING.length) : name}`;
  return {
    path: `/v1/projects/${encodeURIComponent(slug)}/releases/${encodeURIComponent(release.trim())}/source-maps?url=${encodeURIComponent(script)}`,
    type: isMap ? "application/json" : "text/javascript",
  };
}

const SENT: Column<Sent>[] = [
  { title: "File", cell: ({ file }) => <code>{file}</code> },
  { title: "Outcome", isText: true, cell: ({ refused }) => (refused === null ? <Badge word={{ text: "Stored", tone: "good" }} /> : <><Badge word={{ text: "Refused", tone: "bad" }} /> {refused}</>) },
];
