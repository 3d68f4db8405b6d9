"""Which hosts, origins and proxies the gateway accepts, as the settings say."""

from dataclasses import dataclass, field

from gateway.config.settings import Settings, Switch
from gateway.http.addresses import LOOPBACK
from gateway.http.hosts import LOCAL, AllowedHosts
from gateway.http.origins import AllowedOrigins
from gateway.http.proxies import TrustedProxies


@dataclass(frozen=True, slots=True)
class EdgePolicy:
    """The defaults accept every Host, no proxy and no page of another origin."""

    proxies: TrustedProxies = field(default_factory=TrustedProxies)
    hosts: AllowedHosts = field(default_factory=AllowedHosts)
    origins: AllowedOrigins = field(default_factory=AllowedOrigins)
    hsts: Switch = "auto"

    @classmethod
    def of(cls, settings: Settings) -> "EdgePolicy":
        return cls(
            TrustedProxies.of(settings.trusted_proxies),
            allowed_hosts(settings),
            AllowedOrigins.of(settings.cors_origins),
            settings.hsts,
        )


def allowed_hosts(settings: Settings) -> AllowedHosts:
    """The hosts of ALLOWED_HOSTS; a demo that listens on loopback accepts loopback names only."""
    if settings.allowed_hosts:
        return AllowedHosts.of(settings.allowed_hosts)
    if settings.environment == "demo" and settings.host in LOOPBACK:
        return LOCAL
    return AllowedHosts()
