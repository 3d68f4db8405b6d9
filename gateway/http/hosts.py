"""The host names this gateway answers to, against DNS rebinding."""

from dataclasses import dataclass

from gateway.http.addresses import LOOPBACK

ANY = "*"


@dataclass(frozen=True, slots=True)
class AllowedHosts:
    """Exact names, and the parents of `*.name`; with neither, any name is allowed."""

    names: frozenset[str] = frozenset()
    parents: tuple[str, ...] = ()

    @classmethod
    def of(cls, text: str) -> "AllowedHosts":
        """Parse a comma-separated list; raises ValueError."""
        parts = [part.strip().lower() for part in text.split(",") if part.strip()]
        if ANY in parts:
            return cls()
        for part in parts:
            _check(part)
        names = frozenset(part.strip("[]") for part in parts if not part.startswith("*."))
        return cls(names, tuple(part[1:] for part in parts if part.startswith("*.")))

    def allow(self, host: str) -> bool:
        if not self.names and not self.parents:
            return True
        name = name_of(host)
        return name in self.names or name.endswith(self.parents)


LOCAL = AllowedHosts(frozenset(LOOPBACK), (".localhost",))


def name_of(host: str) -> str:
    """The name in a Host header, without the port and the brackets of IPv6."""
    host = host.strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].removesuffix(".")


def _check(part: str) -> None:
    name = part.removeprefix("*.")
    if not name or any(sign in name for sign in "/*@ ") or (":" in name and name[0] != "["):
        raise ValueError(f"{part[:100]!r} is no host name: leave out scheme and port")
