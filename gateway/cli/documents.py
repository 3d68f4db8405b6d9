"""`gateway documents`: the trusted GraphQL documents."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.connection import fail, with_connection

if TYPE_CHECKING:
    from gateway.graphql.documents.documents import Documents
    from storage.admin.trusted_documents import TrustedDocument

app = typer.Typer(
    help="Register the documents that TRUSTED_DOCUMENTS=enforce executes.",
    no_args_is_help=True,
)

Files = Annotated[
    list[Path],
    typer.Argument(
        help="GraphQL files, folders of them, or a JSON manifest as Apollo, Relay and "
        "graphql-codegen write it.",
        exists=True,
    ),
]
GRAPHQL_SUFFIXES = (".graphql", ".gql")


@app.command()
def register(files: Files) -> None:
    """Check documents against the schema and register them; if one is invalid, none is registered.

    A document's id is the SHA-256 of its text: register a document again when its text changes.

    Example: gateway documents register operations/ persisted-query-manifest.json
    """
    from datetime import UTC, datetime

    from gateway.cli.auditing import record
    from storage.admin import trusted_documents

    found = {document.digest: document for file in files for document in _read(file)}
    if not found:
        fail("No document was found: GraphQL files end in .graphql or .gql, manifests in .json.")

    async def work(connection: Any) -> int:
        async with connection.transaction():
            now = datetime.now(UTC)
            added = await trusted_documents.register(connection, list(found.values()), now)
            details = {"documents": sorted(found), "added": added}
            await record(connection, "documents.register", details)
        return added

    added = with_connection(work)
    typer.echo(f"{added} registered, {len(found) - added} were known.")


@app.command("list")
def list_() -> None:
    """List the registered documents: hash, time and names of their operations."""
    from storage.admin import trusted_documents

    for document, registered_at in with_connection(trusted_documents.find_all):
        typer.echo(f"{document.digest}  {registered_at:%Y-%m-%d %H:%M}  {document.name}")


@app.command()
def remove(
    digests: Annotated[list[str], typer.Argument(help="Hashes from `gateway documents list`.")],
) -> None:
    """Remove documents; every gateway refuses them within half a minute."""
    from gateway.cli.auditing import record
    from storage.admin import trusted_documents

    async def work(connection: Any) -> int:
        async with connection.transaction():
            removed = await trusted_documents.remove(connection, digests)
            details = {"documents": digests, "removed": removed}
            await record(connection, "documents.remove", details)
        return removed

    removed = with_connection(work)
    typer.echo(f"{removed} removed.")
    if removed < len(set(digests)):
        raise typer.Exit(1)


def _read(path: Path) -> "Iterator[TrustedDocument]":
    from gateway.graphql.documents.documents import Documents
    from schema import schema
    from schema.internals import core

    documents = Documents(core(schema), hide_suggestions=False)
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if file.suffix in GRAPHQL_SUFFIXES:
            yield _checked(documents, file, file.read_text(encoding="utf-8"), None)
        elif file.suffix == ".json":
            for digest, text in _manifest(file):
                yield _checked(documents, file, text, digest)


def _manifest(file: Path) -> Iterator[tuple[str, str]]:
    import orjson

    try:
        content = orjson.loads(file.read_bytes())
    except orjson.JSONDecodeError as error:
        fail(f"{file}: not JSON: {error}")
    operations = content.get("operations") if isinstance(content, dict) else None
    if isinstance(operations, list):  # Apollo's manifest
        pairs = [(item.get("id"), item.get("body")) for item in operations if type(item) is dict]
    else:  # Relay's and graphql-codegen's: text by hash
        pairs = list(content.items()) if isinstance(content, dict) else []
    for digest, text in pairs or [(None, None)]:
        if not isinstance(digest, str) or not isinstance(text, str):
            fail(f"{file}: not a manifest of documents by their SHA-256")
        yield digest, text


def _checked(
    documents: "Documents", file: Path, text: str, digest: str | None
) -> "TrustedDocument":
    from gateway.graphql.documents.documents import BadDocument
    from storage.admin.trusted_documents import TrustedDocument

    try:
        document = documents.get(text)
    except BadDocument as error:
        fail(f"{file}: {error.errors[0].message}")
    if digest is not None and digest.lower().removeprefix("sha256:") != document.digest:
        fail(f"{file}: {digest} is not the SHA-256 of its document")
    names = ", ".join(sorted(name for name in document.operations if name))
    return TrustedDocument(document.digest, text, names)
