"""What the edge believes of a request, and what it lets in, as the settings say."""

from dataclasses import dataclass, field

from gateway.config.settings import Settings, Switch
from gateway.http.addresses import LOOPBACK
from gateway.http.hosts import LOCAL, AllowedHosts
from gateway.http.origins import AllowedOrigins
from gateway.http.proxies import TrustedProxies


@dataclass(frozen=True, slots=True)
class Edge:
    """The defaults let in whatever names this host, and no foreign page."""

    proxies: TrustedProxies = field(default_factory=TrustedProxies)
    hosts: AllowedHosts = field(default_factory=AllowedHosts)
    origins: AllowedOrigins = field(default_factory=AllowedOrigins)
    hsts: Switch = "auto"

    @classmethod
    def of(cls, settings: Settings) -> "Edge":
        return cls(
            TrustedProxies.of(settings.trusted_proxies),
            allowed_hosts(settings),
            AllowedOrigins.of(settings.cors_origins),
            settings.hsts,
        )


def allowed_hosts(settings: Settings) -> AllowedHosts:
    """Those of the setting; the demo on its own machine answers to that machine's names alone."""
    if settings.allowed_hosts:
        return AllowedHosts.of(settings.allowed_hosts)
    if settings.environment == "demo" and settings.host in LOOPBACK:
        return LOCAL
    return AllowedHosts()


def serves_page(settings: Settings) -> bool:
    if settings.graphiql == "auto":
        return settings.environment == "demo"
    return settings.graphiql == "on"


OPEN = Edge()
