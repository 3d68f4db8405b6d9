"""DSNs: the addresses that Sentry's SDKs are set up with."""

import re
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

PUBLIC_KEY = re.compile(r"[0-9a-f]{32}")
# Keys of other servers need not look like ours.
_ANY_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")
_PROJECT = re.compile(r"[A-Za-z0-9_-]{1,64}")
MAX_LENGTH = 500


@dataclass(frozen=True, slots=True)
class Dsn:
    """`{scheme}://{public_key}@{host}/{path}{project}`; the path ends in a slash."""

    scheme: str
    public_key: str
    host: str  # with its port, if that is not the scheme's own
    path: str
    project: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ValueError."""
        if len(text) > MAX_LENGTH or not text.isprintable() or "\\" in text:
            raise ValueError("it is no DSN")
        parts = urlsplit(text.strip())
        path, _, project = parts.path.rstrip("/").rpartition("/")
        host = parts.hostname or ""
        if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment:
            raise ValueError("a DSN is written https://<public key>@<host>/<project>")
        if not _ANY_KEY.fullmatch(parts.username or "") or not _PROJECT.fullmatch(project):
            raise ValueError("a DSN has a public key before its host, and a project after it")
        netloc = f"[{host}]" if ":" in host else host
        if parts.port is not None:  # which raises ValueError for a wrong one
            netloc += f":{parts.port}"
        return cls(parts.scheme, str(parts.username), netloc, f"{path}/", project)

    def __str__(self) -> str:
        return f"{self.scheme}://{self.public_key}@{self.host}{self.path}{self.project}"

    @property
    def envelope_url(self) -> str:
        """Where envelopes are sent."""
        return f"{self.scheme}://{self.host}{self.path}api/{self.project}/envelope/"
