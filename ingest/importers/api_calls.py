"""Calls from three sources: a trace of Azure, HAR recordings, and an access log of Apache.

Docs: docs/import.md.
"""

import re
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from ingest.importers.events import ImportedEvent
from ingest.importers.facts import Events
from ingest.importers.files import BadRow, Part, Row, document_rows, moment, number

# Numbers, UUIDs and long hexadecimal ids.
_ID = re.compile(r"\d+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{16,}", re.ASCII | re.I)

# Host, identity, user, [time] "method path protocol" status bytes; what follows is not read.
_LINE = re.compile(r'\S+ \S+ \S+ \[([^\]]+)\] "(\S+) ([^ ?"]+)\S* [^"]*" (\d{3}) (\d+|-)', re.ASCII)
_TIME = "%d/%b/%Y:%H:%M:%S %z"
_FOLDERS = 2
_EXTENSION = re.compile(r"\.[a-z0-9]{1,5}", re.ASCII).fullmatch


def route_template(path: str) -> str:
    """The path with `{id}` in place of each segment that is an id."""
    return "/".join("{id}" if _ID.fullmatch(part) else part for part in path.split("/"))


def file_route(path: str) -> str:
    """The first two folders of a file's path, then `{path}` with the file's extension.

    So the many files of a site become few routes. A folder of these two levels is its own route.
    """
    *folders, file = path.removeprefix("/").split("/")
    kept = "".join(f"/{folder}" for folder in folders[:_FOLDERS])
    if not file and len(folders) <= _FOLDERS:
        return f"{kept}/"
    suffix = PurePosixPath(file).suffix.lower()
    return f"{kept}/{{path}}{suffix if _EXTENSION(suffix) else ''}"


def _traced(row: Row) -> list[ImportedEvent]:
    """A request of the trace: a call of the API, and one of the model behind it."""
    at = moment(f"{row.text('TIMESTAMP')}Z", "TIMESTAMP")
    calls = _call(row, at, "azure-llm", endpoint="/conversation", method="POST", status=200)
    tokens = {
        "id": f"{row.location}:model",
        "type": "model.call",
        "model": "azure-llm",
        "task": "conversation",
        "inputTokens": int(row.number("ContextTokens")),
        "outputTokens": int(row.number("GeneratedTokens")),
    }
    return calls + _call(row, at, "azure-llm", **tokens)


def _recorded(row: Row) -> list[ImportedEvent]:
    at = row.moment("startedDateTime")
    request, response = row.values["request"], row.values["response"]
    fields = {
        "durationMs": row.number("time"),
        "endpoint": route_template(urlsplit(request["url"]).path),
        "method": request["method"],
        "status": response["status"],
    }
    body_bytes = response.get("bodySize", -1)  # -1 if it is unknown
    if body_bytes != -1:
        fields["responseBytes"] = int(number(body_bytes, "bodySize"))
    return _call(row, at, "treeherder", **fields)


def _logged(row: Row) -> list[ImportedEvent]:
    """A line of the log; the client's address is left out."""
    match = _LINE.match(row.values["line"])
    if match is None:
        raise BadRow("is not in the combined log format")
    time, method, path, status, sent_bytes = match.groups()
    try:
        at = datetime.strptime(time, _TIME).astimezone(UTC)
    except ValueError:
        raise BadRow(f"{time!r} is not a time such as 17/May/2015:10:05:03 +0000") from None
    known = {} if sent_bytes == "-" else {"responseBytes": int(sent_bytes)}
    fields = {"endpoint": file_route(path), "method": method, "status": int(status)}
    return _call(row, at, "apache-logs", **fields, **known)


def _call(row: Row, at: datetime, project: str, **fields: Any) -> list[ImportedEvent]:
    common = {"id": row.location, "type": "api.call", "source": project, "project": project}
    return [ImportedEvent(row.location, at, common | fields)]


_ENTRIES = document_rows(lambda document: document["log"]["entries"])

AZURE_LLM = Events(
    "azure-llm",
    "calls of a language model on Azure, one hour of 2023",
    lambda: [Part("api-calls/AzureLLMInferenceTrace_conv.csv", _traced)],
)
HAR = Events(
    "har",
    "calls of Treeherder's API that its tests recorded, 2021",
    lambda: [Part("api-calls/*.har", _recorded, _ENTRIES)],
)
APACHE = Events(
    "apache",
    "requests to a web server, four days of 2015",
    lambda: [Part("http-logs/apache_logs", _logged)],
)
