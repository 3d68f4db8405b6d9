"""The demo's token: an administrator's, private, made at each start."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from access.tokens import TokenVerifier
from gateway.config.demo_token import LIFETIME, write_demo_token
from gateway.config.settings import Settings

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(environment="demo", jwt_secret="0123456789abcdef" * 4, data_dir=tmp_path)


def test_token_is_an_administrators_and_private(settings: Settings) -> None:
    path = write_demo_token(settings, NOW)
    verifier = TokenVerifier(
        [settings.jwt_secret], settings.jwt_issuer, settings.jwt_audience, clock=lambda: NOW
    )
    assert asyncio.run(verifier.authenticate(path.read_text().strip())).is_admin
    assert path.stat().st_mode & 0o777 == 0o600


def test_each_start_gives_a_new_token_and_the_earlier_one_holds_for_its_time(
    settings: Settings,
) -> None:
    first = write_demo_token(settings, NOW).read_text().strip()
    later = NOW + LIFETIME - timedelta(hours=3)
    second = write_demo_token(settings, later).read_text().strip()
    verifier = TokenVerifier(
        [settings.jwt_secret], settings.jwt_issuer, settings.jwt_audience, clock=lambda: later
    )
    assert first != second
    for token in (first, second):
        assert asyncio.run(verifier.authenticate(token)).is_admin
