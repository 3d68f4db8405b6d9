"""The rules for names that senders choose, such as those of projects and environments."""

import re

MAX_NAME_LENGTH = 200
# The name of what is unknown or beyond a limit, which nothing provisioned may have.
OTHER_NAME = "other"

TOO_LONG = "TOO_LONG"
INVALID_TEXT = "INVALID_TEXT"

_SLUG = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
MAX_EMAIL_LENGTH = 254
# Only a mail that arrives proves an address; this refuses what is none at sight.
_EMAIL = re.compile(r"[^\s@<>\"(),:;\\\[\]]{1,64}@[^\s@<>\"(),:;\\\[\]]{1,253}")


def is_slug(text: str) -> bool:
    """Whether the text may be a name in queries and URLs."""
    return bool(_SLUG.fullmatch(text)) and text != OTHER_NAME


def wrong_name(text: str, longest: int = MAX_NAME_LENGTH) -> tuple[str, str] | None:
    """An error code and message if the text cannot be a name, else None.

    The caller strips surrounding spaces before.
    """
    if len(text) > longest:
        return TOO_LONG, f"is longer than {longest} characters"
    if not text.isprintable() and _CONTROL.search(text):
        return INVALID_TEXT, "has control characters or a lone surrogate"
    return None


def can_be_stored(text: str) -> bool:
    """Whether PostgreSQL can store the text: it has neither a NUL nor a lone surrogate."""
    return _UNSTORABLE.search(text) is None


def clean_text(text: str) -> str:
    """The text with a replacement for each character that PostgreSQL cannot store."""
    return text if text.isprintable() else _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def is_email(text: str) -> bool:
    """Whether the text looks like an address that mail can be sent to."""
    return len(text) <= MAX_EMAIL_LENGTH and text.isprintable() and bool(_EMAIL.fullmatch(text))
