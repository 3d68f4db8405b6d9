"""Describes unexpected exceptions for the audit log, without their messages."""

import traceback
from typing import Any

FRAMES_SHOWN = 5


def describe_crash(error: BaseException) -> dict[str, Any]:
    """The type and the innermost frames; the message is left out, as it may hold secrets."""
    frames = list(traceback.walk_tb(error.__traceback__))[-FRAMES_SHOWN:]
    return {
        "type": type(error).__name__,
        "trace": [
            f"{frame.f_globals.get('__name__', '')}.{frame.f_code.co_name}:{line}"
            for frame, line in frames
        ],
    }
