"""Which pages of other origins may ask, as browsers tell it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

ANY = "*"
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}
# Extensions and programs made of a browser have schemes of their own.
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]{1,5})?")


@dataclass(frozen=True, slots=True)
class AllowedOrigins:
    """Exact origins, or any; never with cookies, which nothing here looks at."""

    origins: frozenset[str] = frozenset()
    any: bool = False

    @classmethod
    def of(cls, text: str) -> "AllowedOrigins":
        """From origins with commas between them; raises ValueError."""
        parts = [part.strip().lower() for part in text.split(",") if part.strip()]
        named = [part for part in parts if part != ANY]
        for part in named:
            if not _ORIGIN.fullmatch(part):
                raise ValueError(
                    f"{part[:100]!r} is no origin: write them like https://pages.example.com"
                )
        return cls(frozenset(_plain(part) for part in named), ANY in parts)

    @property
    def none(self) -> bool:
        return not self.origins and not self.any

    def allow(self, origin: str) -> bool:
        return self.any or _plain(origin) in self.origins


def is_foreign(headers: Mapping[str, str]) -> bool:
    """Whether a browser says that a page of another origin asks; programs say nothing of it.

    `Sec-Fetch-Site` cannot be set by pages, but is sent over https and to this machine only;
    elsewhere the origin is compared with the host.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is not None and not _same(origin, headers.get("host", ""))


def _same(origin: str, host: str) -> bool:
    """Whatever the scheme: a proxy in front may have taken care of TLS."""
    scheme, _, place = _plain(origin).partition("://")
    if not scheme or not place:
        return False
    return place == host.lower().removesuffix(_DEFAULT_PORTS.get(scheme, "\0"))


def _plain(origin: str) -> str:
    origin = origin.lower()
    scheme = origin.partition(":")[0]
    return origin.removesuffix(_DEFAULT_PORTS.get(scheme, "\0"))


def vary(values: Iterable[str], name: str) -> str:
    """The Vary header with one more name."""
    names = [part.strip() for value in values for part in value.split(",") if part.strip()]
    known = {part.lower() for part in names}
    return ", ".join(names if name.lower() in known or "*" in known else [*names, name])
