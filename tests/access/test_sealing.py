"""Secrets are sealed before they are stored, and keys can be replaced."""

import pytest

from access.sealing import PREFIX, CannotOpenError, Seals
from storage.alerts.channels import Sealed
from storage.errors import Unavailable

OLD, NEW = "the old secret of the settings", "the new secret of the settings"
VALUES = {"token": "hunter2 of a receiver", "none": ""}


def test_what_is_sealed_is_hidden_and_opens_again() -> None:
    sealed = Seals([OLD]).seal(VALUES)
    assert sealed["token"].startswith(PREFIX)
    assert "hunter2" not in sealed["token"]
    assert sealed["none"] == ""
    assert Seals([OLD]).open(sealed) == VALUES
    assert Seals([OLD]).seal(VALUES) != sealed, "the same secret twice cannot be recognised"


def test_earlier_keys_open_and_are_replaced() -> None:
    sealed, both = Seals([OLD]).seal(VALUES), Seals([NEW, OLD])
    assert both.open(sealed) == VALUES
    renewed = both.renewed(sealed)
    assert renewed is not None
    assert Seals([NEW]).open(renewed) == VALUES
    assert both.renewed(renewed) is None


def test_what_was_stored_before_is_read_and_sealed() -> None:
    plain = {"token": Sealed("hunter2 of a receiver")}
    seals = Seals([NEW])
    assert seals.open(plain) == plain
    renewed = seals.renewed(plain)
    assert renewed is not None
    assert "hunter2" not in renewed["token"]
    assert seals.open(renewed) == plain


@pytest.mark.parametrize("secrets", [[NEW], [""], []])
def test_a_lost_key_is_said_by_name(secrets: list[str]) -> None:
    sealed = Seals([OLD]).seal(VALUES)
    with pytest.raises(CannotOpenError, match="JWT_SECRET has changed") as refused:
        Seals(secrets).open(sealed)
    assert refused.value.names == ("token",)
    assert Seals(secrets).renewed(sealed) is None, "its key may come back"


def test_a_sealed_value_that_was_changed_does_not_open() -> None:
    sealed = Seals([OLD]).seal(VALUES)["token"]
    for wrong in (sealed[:-2] + "A=", PREFIX + "é", PREFIX):
        with pytest.raises(CannotOpenError):
            Seals([OLD]).open({"token": Sealed(wrong)})


def test_nothing_is_sealed_without_a_key() -> None:
    assert Seals([""]).seal({"none": ""}) == {"none": ""}
    with pytest.raises(Unavailable, match="JWT_SECRET must be set"):
        Seals([""]).seal(VALUES)
