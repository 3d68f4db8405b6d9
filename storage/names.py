"""What a name may be that senders choose: of a project, an environment and the like."""

import re

MAX_NAME_LENGTH = 200

TOO_LONG = "TOO_LONG"
INVALID_TEXT = "INVALID_TEXT"

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def wrong_name(text: str, longest: int = MAX_NAME_LENGTH) -> tuple[str, str] | None:
    """A code and a message if the text, without blanks around it, cannot be a name."""
    if len(text) > longest:
        return TOO_LONG, f"is longer than {longest} characters"
    if not text.isprintable() and _CONTROL.search(text):
        return INVALID_TEXT, "has control characters or half a character"
    return None
