"""Error events as SDKs send them, real ones and made-up ones."""

import json
from pathlib import Path
from typing import Any

from ingest.formats.sentry.shapes import usual_shape
from ingest.scrubbing import scrub

DATA = Path(__file__).parents[2] / "data"
GLITCHTIP = DATA / "error-events" / "glitchtip"


def sent(name: str) -> dict[str, Any]:
    """Returns an event of a real SDK in the usual shape; of an envelope, its event."""
    body = json.loads((GLITCHTIP / "incoming_events" / f"{name}.json").read_text())
    events = (part for part in body if "exception" in part) if isinstance(body, list) else [body]
    return dict(usual_shape(next(iter(events))))


def prepared(body: dict[str, Any]) -> dict[str, Any]:
    """Returns what grouping gets of any body: the usual shape, scrubbed."""
    return scrub(usual_shape(body))


def answers(name: str) -> list[dict[str, Any]]:
    """Returns what a Sentry server made of the event."""
    files = (
        GLITCHTIP / folder / f"{name}.json" for folder in ("oss_sentry_events", "oss_sentry_json")
    )
    return [json.loads(file.read_text()) for file in files if file.exists()]


def frame(module: str, function: str, line: int = 1, **more: Any) -> dict[str, Any]:
    path = f"{module.replace('.', '/')}.py"
    return {
        "module": module,
        "function": function,
        "filename": path,
        "abs_path": f"/code/{path}",
        "lineno": line,
        "in_app": True,
    } | more


def exception(kind: str, value: str, *frames: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": kind, "value": value, "stacktrace": {"frames": list(frames)}} | more


def failure(*exceptions: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"platform": "python", "exception": {"values": list(exceptions)}} | more


def script_frame(file: str, function: str, line: int = 10, column: int = 5) -> dict[str, Any]:
    return {"filename": file, "function": function, "lineno": line, "colno": column, "in_app": True}


def script_failure(value: str, *frames: dict[str, Any], kind: str = "TypeError") -> dict[str, Any]:
    return failure(exception(kind, value, *frames), platform="javascript")
