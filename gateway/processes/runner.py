"""Runs everything on one machine: servers, migrations, demo data, gateway and worker."""

import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime

from sqlalchemy.engine import make_url

from gateway.config.settings import Settings, with_secret
from gateway.embedded.folders import data_folder_lock
from gateway.embedded.postgres import EmbeddedPostgres
from gateway.embedded.processes import Child, EmbeddedServerError, Service, running
from gateway.embedded.redis import EmbeddedRedis
from gateway.http.addresses import free_port, local_address, loopback_host, require_free_port
from gateway.pages.build import is_current
from gateway.processes.stopping import StopRequested, stop_signals
from gateway.processes.watch import Watch, is_up

READY_SECONDS = 60.0
POLL_SECONDS = 0.1


def run_everything(settings: Settings, *, demo_data: bool, graphiql: bool) -> int:
    """Run until a signal; return the exit code."""
    try:
        with stop_signals() as check, ExitStack() as stack:
            _Runner(settings, stack, check).run(demo_data=demo_data, graphiql=graphiql)
    except StopRequested:
        _print(f"Everything has stopped; the data stays in {settings.data_dir.resolve()}")
    return 0


class _Runner:
    """A run of everything; the stack stops the services in reverse order."""

    def __init__(
        self, settings: Settings, stack: ExitStack, check_signals: Callable[[], None]
    ) -> None:
        data_dir = settings.data_dir.resolve()
        self._settings = settings.model_copy(update={"data_dir": data_dir})
        self._stack = stack
        self._check_signals = check_signals
        self._services: list[Service] = []
        self._started = time.monotonic()

    def run(self, *, demo_data: bool, graphiql: bool) -> None:
        settings = self._settings
        address = local_address(settings.host, settings.port)
        self._stack.enter_context(data_folder_lock(settings.data_dir, address))
        require_free_port(settings.host, settings.port)
        _print(f"Data folder: {settings.data_dir}")
        self._settings = with_inbox(with_secret(settings))
        pages = self._begin_pages() if graphiql else None
        self._start_servers()
        self._run_step("Migrations", "migrate")
        if demo_data:
            self._run_step("Demo data", "demo", "--if-empty")
        if pages is not None and self._wait_for(pages) != 0:
            _print("Continuing without new pages")
        self._start(self._child("gateway", "gateway", "serve", own_log=True))
        self._start(self._child("worker", "gateway", "worker", own_log=True))
        self._wait_until_ready(address)
        self._print_addresses(address)
        watch = Watch(self._services, _print)
        while True:
            self._check_signals()
            watch.check()
            time.sleep(POLL_SECONDS)

    def _start_servers(self) -> None:
        """Start Postgres and Redis, unless their URLs are set."""
        folder = self._settings.data_dir
        if not self._settings.database_url:
            postgres = EmbeddedPostgres(folder, _print)
            self._start(postgres)
            self._settings = self._settings.model_copy(update={"database_url": postgres.url()})
        if not self._settings.redis_url:
            redis = EmbeddedRedis(folder)
            self._start(redis)
            self._settings = self._settings.model_copy(update={"redis_url": redis.url})

    def _start(self, service: Service) -> None:
        started = time.monotonic()
        self._stack.enter_context(running(service))
        self._services.append(service)
        _print(f"{service.name}: started ({time.monotonic() - started:.1f} s)")

    def _run_step(self, name: str, *arguments: str) -> None:
        """Run a command in a process of its own, which frees its memory; raises if it fails."""
        started = time.monotonic()
        with running(self._child(name, "gateway", *arguments)) as child:
            code = self._wait_for(child)
        if code != 0:
            raise EmbeddedServerError(f"{name} failed (exit code {code}); its messages are above.")
        _print(f"{name}: done ({time.monotonic() - started:.1f} s)")

    def _wait_for(self, child: Child) -> int:
        """Wait until a child process ends; return its exit code."""
        while (code := child.exit_code) is None:
            self._check_signals()
            time.sleep(POLL_SECONDS)
        return code

    def _begin_pages(self) -> Child | None:
        """Build the pages while the servers start; everything else works without them."""
        if is_current():
            return None
        build = self._child("pages", "gateway.pages.build")
        return self._stack.enter_context(running(build))

    def _child(self, name: str, module: str, *arguments: str, own_log: bool = False) -> Child:
        return Child(
            name,
            [sys.executable, "-m", module, *arguments],
            self._settings.data_dir / "logs" / f"{name}.log" if own_log else None,
            environment=environment_of(self._settings),
            grace_seconds=self._settings.shutdown_grace_seconds + 5,
            with_descendants=not own_log,  # the build of the pages starts npm
        )

    def _wait_until_ready(self, address: str) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not is_up(f"{address}/ready"):
            for service in self._services:
                if isinstance(service, Child):
                    service.require_running()
            self._check_signals()
            if time.monotonic() > deadline:
                logs = self._settings.data_dir / "logs"
                raise EmbeddedServerError(
                    f"The gateway is not ready after {READY_SECONDS:.0f} s; see {logs}"
                )
            time.sleep(POLL_SECONDS)

    def _print_addresses(self, address: str) -> None:
        from gateway.config.demo_token import write_demo_token

        folder = self._settings.data_dir
        _print(f"Ready after {time.monotonic() - self._started:.1f} s.\n")
        rows = {
            "GraphQL": f"{address}/graphql",
            "Events": f"{address}/v1/events",
            "Health": f"{address}/health, {address}/metrics",
            "Postgres": make_url(self._settings.database_url).render_as_string(),
            "Logs": str(folder / "logs"),
        }
        if self._settings.environment == "demo":
            file = write_demo_token(self._settings, datetime.now(UTC))
            token = file.read_text(encoding="ascii").strip()
            rows["Token"] = f"{file} (an administrator's; only you can read it)"
            # Browsers do not send the part after #, so the token gets into no log.
            rows["Dashboard"] = f"{address}/#token={token}"
            rows["Inbox"] = f"{address}/demo/inbox (what alerts have sent)"
            rows["GraphiQL"] = f"{address}/graphql#token={token}"
        for name, value in rows.items():
            _print(f"  {name:<11}{value}")
        _print("\nCtrl-C stops everything.")


def with_inbox(settings: Settings) -> Settings:
    """The settings of a demo whose messages come back to it; others stay as they are."""
    if settings.environment != "demo" or settings.smtp_url:
        return settings
    port = free_port()
    hosts = [settings.alert_local_hosts, loopback_host(settings.host, settings.port)]
    return settings.model_copy(
        update={
            "demo_mail_port": port,
            "smtp_url": f"smtp+plain://127.0.0.1:{port}",
            "mail_from": "alerts@demo.example",
            "alert_local_hosts": ", ".join(filter(None, hosts)),
        }
    )


def environment_of(settings: Settings) -> Mapping[str, str]:
    """The environment variables that pass these settings to a child process."""
    return {
        "GATEWAY_ENV": settings.environment,
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "DATA_DIR": str(settings.data_dir),
        "HOST": settings.host,
        "PORT": str(settings.port),
        "JWT_SECRET": settings.jwt_secret,
        "SMTP_URL": settings.smtp_url,
        "MAIL_FROM": settings.mail_from,
        "ALERT_LOCAL_HOSTS": settings.alert_local_hosts,
        "DEMO_MAIL_PORT": str(settings.demo_mail_port),
        # Their contents are in the settings.
        "JWT_SECRET_FILE": "",
        "DATABASE_URL_FILE": "",
        "REDIS_URL_FILE": "",
        "SMTP_URL_FILE": "",
    }


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
