"""Dokploy's template catalogue: applications that are deployed with one click."""

from collections.abc import Iterator
from pathlib import Path

from ingest.fields import clean_text
from ingest.importers.files import json_rows, locate, read_rows
from ingest.importers.records import BadRow, Problem, Row, required, slug_of
from storage.dimensions import TemplateFields

FILE = "templates/dokploy-templates.jsonl"


def read(source: Path) -> Iterator[TemplateFields | Problem]:
    """Yields a template for each line; its slug is the catalogue's id, unchanged."""
    return read_rows(json_rows(locate(source, FILE)), _templates)


def _templates(row: Row) -> list[TemplateFields]:
    slug = slug_of(row.values.get("id"), "id")
    description, tags = row.values.get("description") or None, row.values.get("tags") or []
    if description is not None and not isinstance(description, str):
        raise BadRow("description is not a text")
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise BadRow("tags are not a list of texts")
    template = TemplateFields(
        slug,
        clean_text(required(row.values.get("name"), "name")),
        description and clean_text(description),
        tags=tuple(clean_text(tag) for tag in tags),
    )
    return [template]
