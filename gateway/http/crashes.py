"""`Crash`: an unexpected exception, described for the audit log and for the error tracking."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from typing import Any

FRAMES_SHOWN = 5  # in the audit log
# Of deeper stacks, the innermost calls are kept.
MAX_FRAMES = 50
MAX_CHAINED = 5
MAX_MESSAGE_LENGTH = 2_000


@dataclass(frozen=True, slots=True)
class Frame:
    """A place in the code, without the values of its variables."""

    module: str
    function: str
    line: int


@dataclass(frozen=True, slots=True)
class Crash:
    """An exception with its places, the outermost first, and what caused it."""

    type: str
    module: str
    message: str
    frames: tuple[Frame, ...]
    cause: Crash | None = None

    @classmethod
    def of(cls, error: BaseException, chained: int = MAX_CHAINED) -> Crash:
        """Describes an exception; holds neither it nor the variables of its frames."""
        places = list(traceback.walk_tb(error.__traceback__))[-MAX_FRAMES:]
        frames = tuple(
            Frame(str(frame.f_globals.get("__name__", "")), frame.f_code.co_qualname, line)
            for frame, line in places
        )
        before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        cause = cls.of(before, chained - 1) if before is not None and chained > 1 else None
        kind = type(error)
        return cls(kind.__name__, kind.__module__, _message(error), frames, cause)

    def for_audit(self) -> dict[str, Any]:
        """The type and the innermost frames; the message is left out, as it may hold secrets."""
        shown = self.frames[-FRAMES_SHOWN:]
        trace = [f"{each.module}.{each.function.rpartition('.')[2]}:{each.line}" for each in shown]
        return {"type": self.type, "trace": trace}


def _message(error: BaseException) -> str:
    try:
        return str(error)[:MAX_MESSAGE_LENGTH]
    except Exception:  # noqa: BLE001 - also an exception that cannot be printed is described
        return ""
