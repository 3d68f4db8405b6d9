"""Every setting of the gateway, read once from the environment and handed on as plain values."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from gateway.config.credentials import BY_FILE, SCHEMES, read, secret_fault, url_fault
from gateway.config.demo_secret import demo_secret
from gateway.config.key_server import url_fault as key_server_fault
from gateway.http.hosts import AllowedHosts
from gateway.http.origins import AllowedOrigins
from gateway.http.proxies import TrustedProxies

ROOT_DATA_DIR = Path("/var/lib/deployment-analytics-gateway")


class SettingsError(Exception):
    """The environment does not describe a gateway that may start."""


def default_data_dir() -> Path:
    # The embedded Postgres cannot run as root, and its own user cannot look into root's home.
    return ROOT_DATA_DIR if os.geteuid() == 0 else Path(".data")


Days = Annotated[int, Field(ge=0, le=36_500)]
Switch = Literal["auto", "on", "off"]


class Settings(BaseSettings):
    """The gateway's settings; each is an environment variable named like the field in capitals."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="ignore",
        validate_by_name=True,
        validate_by_alias=True,
        hide_input_in_errors=True,
    )

    environment: Literal["demo", "production"] = Field(
        default="production",
        validation_alias="GATEWAY_ENV",
        description="`demo` invents a secret and keeps it in the data folder; `production` refuses"
        " to start without a strong JWT_SECRET.",
    )
    host: str = Field(default="127.0.0.1", description="The address to listen on.")
    port: int = Field(default=8000, ge=1, le=65_535, description="The port to listen on.")
    data_dir: Path = Field(
        default_factory=default_data_dir,
        description="Where embedded servers, the demo token and logs live."
        " `./.data`, or `/var/lib/deployment-analytics-gateway` for root.",
    )
    database_url: str = Field(
        default="",
        repr=False,
        description="The Postgres to use, as `postgresql://user:password@host/name`."
        " `gateway run` starts an embedded one when it is not set.",
    )
    database_url_file: Path | None = Field(
        default=None, description="A file that holds the address, in place of DATABASE_URL."
    )
    database_pool_size: int = Field(
        default=10, ge=1, le=200, description="Connections each process may hold open to Postgres."
    )
    statement_timeout_seconds: float = Field(
        default=10.0, gt=0, le=600, description="How long one SQL statement of a query may take."
    )
    redis_url: str = Field(
        default="",
        repr=False,
        description="The Redis to use, as `redis://host:6379/0` or `unix:///path/to/socket`."
        " `gateway run` starts an embedded one when it is not set.",
    )
    redis_url_file: Path | None = Field(
        default=None, description="A file that holds the address, in place of REDIS_URL."
    )
    jwt_secret: str = Field(
        default="",
        repr=False,
        description="The secret that signs HS256 tokens: at least 32 random bytes in production.",
    )
    jwt_secret_file: Path | None = Field(
        default=None, description="A file that holds the secret, in place of JWT_SECRET."
    )
    jwt_jwks_url: str = Field(
        default="",
        description="The address of an identity provider's public keys (JWKS), by https.",
    )
    jwt_leeway_seconds: int = Field(
        default=30, ge=0, le=300, description="By how much clocks may differ, in seconds."
    )
    jwt_issuer: str = Field(
        default="deployment-analytics-gateway", description="The `iss` every token must carry."
    )
    jwt_audience: str = Field(
        default="deployment-analytics-gateway", description="The `aud` every token must carry."
    )
    trusted_proxies: str = Field(
        default="",
        description="Addresses and networks of the proxies whose X-Forwarded-For and"
        " X-Forwarded-Proto are believed, with commas between them.",
    )
    allowed_hosts: str = Field(
        default="",
        description="The names this gateway answers to, with commas between them; `*.name` for all"
        " below one, `*` for any.",
    )
    cors_origins: str = Field(
        default="",
        description="The origins whose pages may ask, such as `https://pages.example.com`, with"
        " commas between them.",
    )
    hsts: Switch = Field(
        default="auto",
        description="Whether browsers are told to use https alone: `auto` where a trusted proxy"
        " says that the request came by it.",
    )
    graphiql: Switch = Field(
        default="auto",
        description="Whether the GraphiQL page is served: `auto` in the demo alone.",
    )
    graphql_introspection: Switch = Field(
        default="auto",
        description="Who may ask for the schema: `on` each viewer, `off` nobody, `auto` each viewer"
        " of the demo, and in production maintainers and admins.",
    )
    connections_per_address: int = Field(
        default=500,
        ge=0,
        le=100_000,
        description="Connections one address may hold open to a process; 0: any number.",
    )
    rate_limit_enabled: bool = Field(
        default=True, description="Whether requests, query cost and events are limited at all."
    )
    rate_limit_max: int = Field(
        default=100,
        ge=1,
        le=1_000_000,
        description="GraphQL requests each viewer or service token may send in a window.",
    )
    rate_limit_window: int = Field(
        default=60, ge=1, le=86_400, description="The window in seconds, of every rate limit."
    )
    rate_limit_burst: int = Field(
        default=10,
        ge=0,
        le=1_000_000,
        description="Requests above RATE_LIMIT_MAX that may come at once after a quiet window.",
    )
    rate_limit_address_max: int = Field(
        default=60,
        ge=1,
        le=1_000_000,
        description="Requests without a valid token that one address may send in a window.",
    )
    rate_limit_cost_max: int = Field(
        default=60_000,
        ge=1,
        le=1_000_000_000,
        description="Points of query cost each viewer or service token may spend in a window.",
    )
    rate_limit_events_max: int = Field(
        default=60_000,
        ge=10_000,
        le=1_000_000_000,
        description="Events that may be sent for one project in a window.",
    )
    rate_limit_kibibytes_max: int = Field(
        default=131_072,
        ge=20_000,
        le=1_000_000_000,
        description="KiB of events each viewer or service token may send in a window.",
    )
    graphql_compiled: bool = Field(
        default=True,
        description="Whether answers of plain fields are built by generated functions; 0 leaves"
        " everything to graphql-core, which is slower and otherwise the same.",
    )
    trusted_documents: Literal["off", "log", "enforce"] = Field(
        default="off",
        description="What becomes of GraphQL documents nobody registered with `gateway documents`:"
        " `off` executes them, `log` as well and tells, `enforce` refuses them.",
    )
    analytics_cache_ttl: int = Field(
        default=3600,
        ge=0,
        le=3600,
        description="The longest time, in seconds, an aggregate stays cached; 0 caches nothing.",
    )
    event_retention_days: Days = Field(
        default=90, description="How long raw deployment events are kept; 0 keeps them for ever."
    )
    metrics_retention_days: Days = Field(
        default=90,
        description="How long hour and quarter-hour roll-ups are kept; 0 keeps them for ever.",
    )
    daily_retention_days: Days = Field(
        default=365,
        description="How long daily roll-ups and deployments are kept; 0 keeps them for ever.",
    )
    minute_retention_hours: int = Field(
        default=48, ge=0, le=876_000, description="How long minute roll-ups are kept; 0 keeps them."
    )
    audit_retention_days: Days = Field(
        default=365, description="How long the audit log is kept; 0 keeps it for ever."
    )
    archive_dir: Path | None = Field(
        default=None,
        description="A folder that takes raw events as gzip NDJSON before they are dropped.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least important log line that is written."
    )
    worker_port: int = Field(
        default=0,
        ge=0,
        le=65_535,
        description="The port on which the worker answers /health, /ready, /live and /metrics;"
        " 0: none.",
    )
    shutdown_grace_seconds: int = Field(
        default=25,
        ge=1,
        le=300,
        description="How long requests in flight may take to finish at shutdown.",
    )

    @model_validator(mode="before")
    @classmethod
    def _ignore_empty_variables(cls, values: dict[str, Any]) -> dict[str, Any]:
        # `PORT= make run` means "the default", not "an empty port".
        return {name: value for name, value in values.items() if value != ""}

    @property
    def jwt_secrets(self) -> list[str]:
        """The first one signs; all of them are believed, so that one can be replaced."""
        return [part for part in re.split(r"[\s,]+", self.jwt_secret) if part] or [""]

    @field_validator("jwt_jwks_url")
    @classmethod
    def _check_key_server(cls, value: str) -> str:
        if value and (fault := key_server_fault(value)):
            raise ValueError(fault)
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _check_proxies(cls, value: str) -> str:
        TrustedProxies.of(value)
        return value

    @field_validator("allowed_hosts")
    @classmethod
    def _check_hosts(cls, value: str) -> str:
        AllowedHosts.of(value)
        return value

    @field_validator("cors_origins")
    @classmethod
    def _check_origins(cls, value: str) -> str:
        AllowedOrigins.of(value)
        return value

    @model_validator(mode="after")
    def _name_origins(self) -> Self:
        if self.environment == "production" and AllowedOrigins.of(self.cors_origins).any:
            raise ValueError("CORS_ORIGINS must name the origins in production; `*` is for demos")
        return self

    @model_validator(mode="after")
    def _read_secret_files(self) -> Self:
        for name in BY_FILE:
            file: Path | None = getattr(self, f"{name}_file")
            if file and getattr(self, name):
                raise ValueError(f"set {name.upper()} or {name.upper()}_FILE, not both")
            if file:
                object.__setattr__(self, name, read(file))
        return self

    @model_validator(mode="after")
    def _check_urls(self) -> Self:
        for name in SCHEMES:
            url: str = getattr(self, name)
            if url and (fault := url_fault(name, url)):
                raise ValueError(f"{name.upper()} {fault}")
        return self


def load_settings(
    *, default_environment: str | None = None, signs: bool = True, **overrides: Any
) -> Settings:
    """Read the environment; `overrides` are what the command line said, None for nothing.

    A command that never meets a token passes `signs=False` and needs no secret.
    """
    if default_environment and not os.environ.get("GATEWAY_ENV"):
        overrides["environment"] = default_environment
    try:
        said = {name: value for name, value in overrides.items() if value is not None}
        settings = Settings(**said)
        return with_secret(settings) if signs else settings
    except ValidationError as error:
        raise SettingsError("\n".join(_sentences(error))) from None
    except OSError as error:
        raise SettingsError(f"{error.filename}: {error.strerror}") from None


def with_secret(settings: Settings) -> Settings:
    """With a secret that may sign: the demo makes its own, production must bring one."""
    if settings.environment == "production":
        faults = (secret_fault(secret) for secret in settings.jwt_secrets)
        if fault := next(filter(None, faults), None):
            raise SettingsError(f"JWT_SECRET {fault}; make one with `openssl rand -hex 32`")
        return settings
    secret = settings.jwt_secret or demo_secret(settings.data_dir)
    return settings.model_copy(update={"jwt_secret": secret})


def _sentences(error: ValidationError) -> Iterator[str]:
    for fault in error.errors(include_url=False, include_input=False):
        message = fault["msg"].removeprefix("Value error, ")
        name = ".".join(str(part) for part in fault["loc"]).upper()
        yield f"{name}: {message}" if name else message


def require(settings: Settings, *names: str) -> None:
    """Refuse to go on without these settings."""
    missing = [name.upper() for name in names if not getattr(settings, name)]
    if missing:
        raise SettingsError(
            f"{' and '.join(missing)} must be set (`gateway run` starts servers of its own instead)"
        )
