"""Dokploy's template catalogue: what people can deploy with one click."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ingest.fields import clean_text
from ingest.importers.files import json_rows, locate
from ingest.importers.records import BadRow, Problem, required
from ingest.importers.slugs import slug_of
from storage.dimensions import TemplateFields

FILE = "templates/dokploy-templates.jsonl"


def read(source: Path) -> Iterator[TemplateFields | Problem]:
    """One template for each line; its slug is the catalogue's id as it is."""
    for row in json_rows(locate(source, FILE)):
        if isinstance(row, Problem):
            yield row
            continue
        try:
            yield _template(row.values)
        except BadRow as bad:
            yield Problem(row.place, str(bad))


def _template(values: dict[str, Any]) -> TemplateFields:
    slug = slug_of(values.get("id"), "id")
    description, tags = values.get("description") or None, values.get("tags") or []
    if description is not None and not isinstance(description, str):
        raise BadRow("description is not a text")
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise BadRow("tags are not a list of texts")
    return TemplateFields(
        slug,
        clean_text(required(values.get("name"), "name")),
        description and clean_text(description),
        tags=tuple(clean_text(tag) for tag in tags),
    )
