"""What the audit log keeps of an exception nobody expected: its kind and where, never its words."""

import traceback
from typing import Any

FRAMES_SHOWN = 5


def described(error: BaseException) -> dict[str, Any]:
    """The type and the innermost places; messages and values may hold secrets."""
    frames = list(traceback.walk_tb(error.__traceback__))[-FRAMES_SHOWN:]
    return {
        "type": type(error).__name__,
        "trace": [
            f"{frame.f_globals.get('__name__', '')}.{frame.f_code.co_name}:{line}"
            for frame, line in frames
        ],
    }
