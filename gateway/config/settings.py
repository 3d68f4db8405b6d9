"""The settings, read once from the environment and passed on as plain values."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from access.destinations import Destinations
from gateway.config import key_server
from gateway.config.credentials import (
    BY_FILE,
    SCHEMES,
    demo_secret,
    read,
    secret_fault,
    server_url_fault,
)
from gateway.config.data_dir import default_data_dir
from gateway.http.hosts import AllowedHosts
from gateway.http.origins import AllowedOrigins
from gateway.http.proxies import TrustedProxies
from storage.names import is_email, is_slug

DEMO_PROJECT = "gateway"
SMTP_SCHEMES = ("smtp", "smtps", "smtp+plain")  # with STARTTLS, with TLS, without either

# Settings that are lists, with the function that raises ValueError for a wrong one.
PARSERS: dict[str, Callable[[str], object]] = {
    "trusted_proxies": TrustedProxies.of,
    "allowed_hosts": AllowedHosts.of,
    "cors_origins": AllowedOrigins.of,
    "forward_local_hosts": Destinations.of,
    "alert_local_hosts": Destinations.of,
}


class SettingsError(Exception):
    """A setting is missing or wrong, so the gateway must not start."""


Days = Annotated[int, Field(ge=0, le=36_500)]
Switch = Literal["auto", "on", "off"]


class Settings(BaseSettings):
    """The gateway's settings; each is an environment variable named like the field in capitals."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="ignore",
        env_ignore_empty=True,  # `PORT= make run` means "the default", not "an empty port"
        validate_by_name=True,
        validate_by_alias=True,
        hide_input_in_errors=True,
    )

    environment: Literal["demo", "production"] = Field(
        default="production", validation_alias="GATEWAY_ENV"
    )
    """`demo` stores a secret in the data folder; `production` needs a strong JWT_SECRET."""
    host: str = "127.0.0.1"
    """Address to listen on."""
    port: int = Field(default=8000, ge=1, le=65_535)
    """Port to listen on."""
    data_dir: Path = Field(default_factory=default_data_dir)
    """Folder for embedded servers, logs and the demo token."""
    database_url: str = Field(default="", repr=False)
    """Postgres, as `postgresql://user:password@host/name`; `gateway run` can start its own."""
    database_url_file: Path | None = None
    """File that holds DATABASE_URL, in place of it."""
    database_pool_size: int = Field(default=10, ge=2, le=200)
    """Connections to Postgres that each process may open; some work needs two at once."""
    statement_timeout_seconds: float = Field(default=10.0, gt=0, le=600)
    """Longest time of one SQL statement of a query."""
    redis_url: str = Field(default="", repr=False)
    """Redis, as `redis://host:6379/0` or `unix:///path`; `gateway run` can start its own."""
    redis_url_file: Path | None = None
    """File that holds REDIS_URL, in place of it."""
    jwt_secret: str = Field(default="", repr=False)
    """Secret that signs HS256 tokens, at least 32 random bytes in production."""
    jwt_secret_file: Path | None = None
    """File that holds JWT_SECRET, in place of it."""
    jwt_jwks_url: str = ""
    """URL of an identity provider's public keys (JWKS); https only."""
    jwt_leeway_seconds: int = Field(default=30, ge=0, le=300)
    """How far clocks may differ when a token's times are checked."""
    jwt_issuer: str = "deployment-analytics-gateway"
    """`iss` that every token must have."""
    jwt_audience: str = "deployment-analytics-gateway"
    """`aud` that every token must have."""
    trusted_proxies: str = ""
    """Addresses and networks of proxies whose X-Forwarded-For and X-Forwarded-Proto count."""
    allowed_hosts: str = ""
    """Host names of this gateway; `*.name` allows all below one, `*` any."""
    cors_origins: str = ""
    """Origins whose pages may send requests, such as `https://pages.example.com`."""
    public_url: str = ""
    """Address at which SDKs and people reach this gateway, as in DSNs and links of messages."""
    forward_local_hosts: str = ""
    """Hosts with ports, not public ones, to which errors may be forwarded."""
    default_alerts: bool = True
    """Whether a new project gets a few alerts to begin with."""
    alert_local_hosts: str = ""
    """Hosts with ports, not public ones, to which messages of alerts may be sent."""
    alert_heartbeat_url: str = Field(default="", repr=False)
    """Address that is asked for every 30 seconds as long as alert rules are evaluated."""
    alert_heartbeat_url_file: Path | None = None
    """File that holds ALERT_HEARTBEAT_URL, in place of it."""
    smtp_url: str = Field(default="", repr=False)
    """Mail server for alerts, as `smtp://user:password@mail.example.com:587`."""
    smtp_url_file: Path | None = None
    """File that holds SMTP_URL, in place of it."""
    mail_from: str = ""
    """Address that mails are sent from."""
    alert_mails_per_hour: int = Field(default=500, ge=125, le=1_000_000)  # the largest mail fits
    """Addresses that the mails of one project's alerts may go to within an hour."""
    operations_url: str = Field(default="", repr=False)
    """Who is told that the database is away: a webhook, or `mailto:ops@example.com`."""
    operations_url_file: Path | None = None
    """File that holds OPERATIONS_URL, in place of it."""
    operations_secret: str = Field(default="", repr=False)
    """Secret that signs the webhook of OPERATIONS_URL."""
    operations_secret_file: Path | None = None
    """File that holds OPERATIONS_SECRET, in place of it."""
    hsts: Switch = "auto"
    """Whether browsers are told to use https only; `auto`: if the request came over https."""
    dashboard: bool = True
    """Whether the dashboard is served."""
    graphiql: Switch = "auto"
    """Whether the GraphiQL page is served; `auto`: in demos only."""
    graphql_introspection: Switch = "auto"
    """Who may read the schema; `auto`: maintainers and admins, and every viewer of a demo."""
    connections_per_address: int = Field(default=500, ge=0, le=100_000)
    """Connections one address may open to a process; 0: no limit."""
    rate_limit_enabled: bool = True
    """Whether requests, query cost and events are limited."""
    rate_limit_max: int = Field(default=100, ge=1, le=1_000_000)
    """GraphQL requests each viewer or service token may send in a window."""
    rate_limit_window: int = Field(default=60, ge=1, le=86_400)
    """Window of every rate limit, in seconds."""
    rate_limit_burst: int = Field(default=10, ge=0, le=1_000_000)
    """Requests above RATE_LIMIT_MAX that may come at once after a quiet window."""
    rate_limit_subscriptions_max: int = Field(default=300, ge=1, le=1_000_000)
    """Subscriptions each viewer or service token may begin in a window."""
    rate_limit_address_max: int = Field(default=60, ge=1, le=1_000_000)
    """Requests without a valid token that one address may send in a window."""
    rate_limit_cost_max: int = Field(default=60_000, ge=1, le=1_000_000_000)
    """Points of query cost each viewer or service token may spend in a window."""
    rate_limit_events_max: int = Field(default=60_000, ge=10_000, le=1_000_000_000)
    """Events that may be sent for one project in a window."""
    rate_limit_kibibytes_max: int = Field(default=131_072, ge=20_000, le=1_000_000_000)
    """KiB of events each viewer or service token may send in a window."""
    graphql_compiled: bool = True
    """Whether generated functions build the plain parts of answers; if not, graphql-core does."""
    trusted_documents: Literal["off", "log", "enforce"] = "off"
    """Whether unregistered GraphQL documents are executed, also logged, or refused."""
    analytics_cache_ttl: int = Field(default=3600, ge=0, le=3600)
    """Longest time an aggregate stays cached, in seconds; 0: no cache."""
    event_retention_days: Days = 90
    """Days that raw events are kept; 0: for ever."""
    error_log_retention_days: Days = 30
    """Days that occurrences of errors and their bodies are kept; 0: for ever."""
    log_retention_days: Days = 30
    """Days that log lines and their texts are kept; 0: for ever."""
    log_texts_per_day: int = Field(default=200_000, ge=0, le=100_000_000)
    """Log lines of a project and day that keep their text: from warn up, and as many others."""
    metrics_retention_days: Days = 90
    """Days that hour and quarter-hour roll-ups are kept; 0: for ever."""
    daily_retention_days: Days = 365
    """Days that daily roll-ups, deployments and builds are kept; 0: for ever."""
    minute_retention_hours: int = Field(default=48, ge=0, le=876_000)
    """Hours that minute roll-ups are kept; 0: for ever."""
    audit_retention_days: Days = 365
    """Days that the audit log is kept; 0: for ever."""
    archive_dir: Path | None = None
    """Folder for raw events as gzip NDJSON before they are dropped."""
    api_calls_project: str = "auto"
    """Project that gets the gateway's own API calls; `auto`: `gateway` in demos only; or `off`."""
    host_samples_project: str = "auto"
    """Project that gets samples of the host; `auto`: `gateway` in demos only; or `off`."""
    metrics_source_names: bool = False
    """Whether `/metrics` has the host's figures also by the names `coderunner_system_…`."""
    error_tracking_enabled: bool = True
    """Whether events of errors are stored; if not, they are ignored."""
    errors_project: str = "auto"
    """Project that gets the gateway's own crashes; `auto`: `gateway` in demos only; or `off`."""
    log_lines_project: str = "off"
    """Project that gets the gateway's own log as log lines; `auto`: `gateway` in demos only."""
    mlflow_tracking_uri: str = Field(default="", repr=False)
    """MLflow server that model calls are written to as well, as `https://mlflow.example.com`."""
    mlflow_tracking_username: str = ""
    """User of MLFLOW_TRACKING_URI."""
    mlflow_tracking_password: str = Field(default="", repr=False)
    """Password of MLFLOW_TRACKING_USERNAME."""
    mlflow_tracking_token: str = Field(default="", repr=False)
    """Bearer token for MLFLOW_TRACKING_URI, where no user is given."""
    demo_mail_port: int = Field(default=0, ge=0, le=65_535)
    """Port of this machine at which a demo catches mails; 0: none."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Lowest level of log lines that are written."""
    worker_port: int = Field(default=0, ge=0, le=65_535)
    """Port of the worker's /health, /ready, /live and /metrics; 0: none."""
    shutdown_grace_seconds: int = Field(default=25, ge=1, le=300)
    """Time that requests in flight have at shutdown."""

    @property
    def jwt_secrets(self) -> list[str]:
        """The secrets: the first signs, all are accepted, so that one can be replaced."""
        return [part for part in re.split(r"[\s,]+", self.jwt_secret) if part] or [""]

    @property
    def api_calls_slug(self) -> str | None:
        """The project that gets the gateway's own API calls; None where they are not recorded."""
        return self._own_project(self.api_calls_project)

    @property
    def host_samples_slug(self) -> str | None:
        """The project that gets samples of the gateway's host; None where there are none."""
        return self._own_project(self.host_samples_project)

    @property
    def errors_slug(self) -> str | None:
        """The project that gets the gateway's own crashes; None where they are not recorded."""
        return self._own_project(self.errors_project) if self.error_tracking_enabled else None

    @property
    def log_lines_slug(self) -> str | None:
        """The project that gets the gateway's own log; None where it is written only."""
        return self._own_project(self.log_lines_project)

    def _own_project(self, name: str) -> str | None:
        if name == "auto":
            return DEMO_PROJECT if self.environment == "demo" else None
        return None if name == "off" else name

    @field_validator(
        "api_calls_project", "errors_project", "host_samples_project", "log_lines_project"
    )
    @classmethod
    def _check_slug(cls, value: str) -> str:
        if not is_slug(value):
            raise ValueError("must be `auto`, `off` or the slug of a project")
        return value

    @field_validator("public_url")
    @classmethod
    def _check_public_url(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme not in ("http", "https") or not parts.hostname or parts.query):
            raise ValueError("must be written like https://errors.example.com")
        return value.rstrip("/")

    @field_validator("jwt_jwks_url")
    @classmethod
    def _check_key_server(cls, value: str) -> str:
        if value and (fault := key_server.url_fault(value)):
            raise ValueError(fault)
        return value

    @field_validator(*PARSERS)
    @classmethod
    def _check_list(cls, value: str, field: ValidationInfo) -> str:
        PARSERS[str(field.field_name)](value)
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
    def _check_mail(self) -> Self:
        if self.mail_from and not is_email(self.mail_from):
            raise ValueError("MAIL_FROM must be an e-mail address")
        if self.smtp_url and not self.mail_from:
            raise ValueError("MAIL_FROM must be set with SMTP_URL")
        if self.smtp_url and self.smtp_url.partition("://")[0] not in SMTP_SCHEMES:
            raise ValueError(f"SMTP_URL must begin with one of {', '.join(SMTP_SCHEMES)}")
        return self

    @model_validator(mode="after")
    def _check_urls(self) -> Self:
        for name in SCHEMES:
            url: str = getattr(self, name)
            if url and (fault := server_url_fault(name, url)):
                raise ValueError(f"{name.upper()} {fault}")
        return self


def load_settings(
    *, default_environment: str | None = None, signs: bool = True, **overrides: Any
) -> Settings:
    """Read the settings; `overrides` from the command line go first, unless they are empty.

    A command that handles no tokens passes `signs=False` and needs no secret. Raises SettingsError.
    """
    if default_environment and not os.environ.get("GATEWAY_ENV"):
        overrides["environment"] = default_environment
    try:
        given = {name: value for name, value in overrides.items() if value not in (None, "")}
        settings = Settings(**given)
        return with_secret(settings) if signs else settings
    except ValidationError as error:
        raise SettingsError("\n".join(_sentences(error))) from None
    except OSError as error:
        raise SettingsError(f"{error.filename}: {error.strerror}") from None


def with_secret(settings: Settings) -> Settings:
    """Add the demo's secret, or check the one of production; raises SettingsError."""
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
    """Raise SettingsError if one of these settings is missing."""
    missing = [name.upper() for name in names if not getattr(settings, name)]
    if missing:
        raise SettingsError(
            f"{' and '.join(missing)} must be set (`gateway run` starts its own servers instead)"
        )
