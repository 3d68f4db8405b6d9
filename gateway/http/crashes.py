"""`Crash`: an unexpected exception, described for the audit log and for the error tracking."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

FRAMES_SHOWN = 5  # in the audit log
# Of deeper stacks, the innermost calls are kept.
MAX_FRAMES = 50
MAX_CHAINED = 5
MAX_MESSAGE_LENGTH = 2_000
_OWN = (
    *("gateway", "schema", "resolvers", "dataloaders"),
    *("ingest", "analytics", "access", "storage"),
)


@dataclass(frozen=True, slots=True)
class Crash:
    """An exception and what caused it, the cause first, as the SDKs of Sentry send them.

    Holds neither the exceptions nor the variables of their frames.
    """

    exceptions: tuple[dict[str, Any], ...]

    @classmethod
    def of(cls, error: BaseException) -> Crash:
        """Describes an exception."""
        chain = list(islice(_chain(error), MAX_CHAINED))
        return cls(tuple(map(_exception, reversed(chain))))

    def for_audit(self) -> dict[str, Any]:
        """The type and the innermost frames; the message is left out, as it may hold secrets."""
        last = self.exceptions[-1]
        shown = last["stacktrace"]["frames"][-FRAMES_SHOWN:]
        trace = [
            f"{each['module']}.{each['function'].rpartition('.')[2]}:{each['lineno']}"
            for each in shown
        ]
        return {"type": last["type"], "trace": trace}


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _exception(error: BaseException) -> dict[str, Any]:
    kind = type(error)
    places = list(traceback.walk_tb(error.__traceback__))[-MAX_FRAMES:]
    return {
        "type": kind.__name__,
        "module": kind.__module__,
        "value": _message(error),
        "mechanism": {"type": "gateway", "handled": False},
        "stacktrace": {"frames": [_frame(frame, line) for frame, line in places]},
    }


def _frame(frame: Any, line: int) -> dict[str, Any]:
    module = str(frame.f_globals.get("__name__", ""))
    return {
        "module": module,
        "function": frame.f_code.co_qualname,
        "filename": f"{module.replace('.', '/')}.py",
        "lineno": line,
        "in_app": module.partition(".")[0] in _OWN,
    }


def _message(error: BaseException) -> str:
    try:
        return str(error)[:MAX_MESSAGE_LENGTH]
    except Exception:  # noqa: BLE001 - also an exception that cannot be printed is described
        return ""
