"""What the readers of stack traces share: one exception while it is read, and its frames."""

import re
from dataclasses import dataclass, field
from typing import Any

from ingest.errors.shapes import MAX_FRAMES, Json

_LONGEST_VALUE = 2_000


@dataclass(slots=True)
class Trace:
    """One exception of a chain while its lines are read; `frames` in the order of the text."""

    error_type: str = ""
    value: str = ""
    module: str = ""
    frames: list[Json] = field(default_factory=list)

    def as_json(self, *, innermost_first: bool) -> Json:
        """Returns the exception as SDKs send it: its frames innermost last."""
        frames = self.frames[::-1] if innermost_first else self.frames
        found = {
            "type": self.error_type,
            "value": self.value[:_LONGEST_VALUE],
            "module": self.module,
        }
        return {
            **{name: text for name, text in found.items() if text},
            "stacktrace": {"frames": frames[-MAX_FRAMES:]},
        }


def frame_of(match: re.Match[str], platform: str, **more: Any) -> Json:
    """Returns a frame from a match's groups `function`, `module`, `file`, `line` and `column`."""
    groups = match.groupdict()
    frame: Json = {"platform": platform}
    for name, group in (("function", "function"), ("module", "module"), ("filename", "file")):
        if text := (groups.get(group) or "").strip():
            frame[name] = text
    for name, group in (("lineno", "line"), ("colno", "column")):
        if digits := groups.get(group):
            frame[name] = int(digits)
    if frame.get("filename", "").startswith(("/", "http:", "https:")):
        frame["abs_path"] = frame["filename"]
    return {**frame, **more}


def split_type(name: str) -> tuple[str, str]:
    """Splits `package.Type` into its package, which may be empty, and its type."""
    module, _, error_type = name.rpartition(".")
    return module, error_type


def joined(lines: list[str]) -> str:
    """Returns the lines of a message as one text."""
    return "\n".join(lines).strip()
