"""The web origins whose pages may send requests from a browser."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

ANY = "*"
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}
# Browser extensions and desktop apps have schemes of their own.
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]{1,5})?")


@dataclass(frozen=True, slots=True)
class AllowedOrigins:
    """Exact origins, or any. Cookies are never read, so they need no rule."""

    origins: frozenset[str] = frozenset()
    any: bool = False

    @classmethod
    def of(cls, text: str) -> "AllowedOrigins":
        """Parse a comma-separated list; raises ValueError."""
        parts = [part.strip().lower() for part in text.split(",") if part.strip()]
        named = [part for part in parts if part != ANY]
        for part in named:
            if not _ORIGIN.fullmatch(part):
                raise ValueError(
                    f"{part[:100]!r} is no origin: write it like https://pages.example.com"
                )
        return cls(frozenset(_normalised(part) for part in named), ANY in parts)

    @property
    def none(self) -> bool:
        return not self.origins and not self.any

    def allow(self, origin: str) -> bool:
        return self.any or _normalised(origin) in self.origins


def is_foreign(headers: Mapping[str, str]) -> bool:
    """Whether a browser sends the request for a page of another origin.

    Pages cannot set `Sec-Fetch-Site`, but browsers send it only over https and to localhost;
    without it, the origin is compared with the host. Other programs send neither header.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is not None and not _same(origin, headers.get("host", ""))


def _same(origin: str, host: str) -> bool:
    """Compare without the scheme, as a proxy may have ended TLS."""
    scheme, _, authority = _normalised(origin).partition("://")
    if not scheme or not authority:
        return False
    return authority == host.lower().removesuffix(_DEFAULT_PORTS.get(scheme, "\0"))


def _normalised(origin: str) -> str:
    origin = origin.lower()
    scheme = origin.partition(":")[0]
    return origin.removesuffix(_DEFAULT_PORTS.get(scheme, "\0"))
