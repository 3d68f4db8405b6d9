"""Seals secrets before they are stored, and opens them again."""

from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from storage.alerts.channels import Sealed
from storage.errors import GatewayError, Unavailable

# The version of the format; what does not begin so was stored before secrets were sealed.
PREFIX = "sealed:1:"
_PURPOSE = b"secrets of notification channels"  # so that the key is of no other use
_KEY_BYTES = 32


class CannotOpenError(GatewayError):
    """Sealed secrets, of these names, that none of the keys opens."""

    code = "SECRET_UNREADABLE"

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(
            "The secrets of the channel cannot be read, since JWT_SECRET has changed: "
            "set them again, or put the earlier JWT_SECRET after the new one."
        )
        self.names = tuple(names)


class Seals:
    """Seals secrets under the first key and opens those sealed under any, so that keys rotate.

    Each key is derived from a secret of the settings: a copy of the database opens nothing.
    """

    def __init__(self, secrets: Sequence[str]) -> None:
        keys = [Fernet(_derived(secret)) for secret in secrets if secret]
        self._first = keys[0] if keys else None
        self._any = MultiFernet(keys) if keys else None

    def seal(self, values: Mapping[str, str]) -> dict[str, Sealed]:
        """Returns the values as they are stored; raises Unavailable without a key.

        An empty value says that there is no secret, and stays as it is.
        """
        if self._first is None and any(values.values()):
            raise Unavailable(
                "JWT_SECRET must be set to that of `gateway serve`: it seals secrets."
            )
        return {name: Sealed(self._sealed(value)) for name, value in values.items()}

    def open(self, values: Mapping[str, Sealed]) -> dict[str, str]:
        """Returns the values as they were given; raises CannotOpenError if some cannot be read.

        A value that was stored before secrets were sealed is returned as it is.
        """
        opened = {name: self._opened(value) for name, value in values.items()}
        if unreadable := sorted(name for name, value in opened.items() if value is None):
            raise CannotOpenError(unreadable)
        return {name: value for name, value in opened.items() if value is not None}

    def renewed(self, values: Mapping[str, Sealed]) -> dict[str, Sealed] | None:
        """Returns the values sealed under the first key; None if nothing would change.

        Those that no key opens stay as they are: their key may come back.
        """
        renewed = dict(values)
        for name, value in values.items():
            if not self._is_current(value) and (opened := self._opened(value)) is not None:
                renewed[name] = Sealed(self._sealed(opened))
        return None if renewed == values else renewed

    def _sealed(self, value: str) -> str:
        if not value or self._first is None:
            return value
        return PREFIX + self._first.encrypt(value.encode()).decode()

    def _opened(self, value: str) -> str | None:
        if not value.startswith(PREFIX):
            return value
        if self._any is None:
            return None
        try:
            return self._any.decrypt(value.removeprefix(PREFIX).encode()).decode()
        except InvalidToken:
            return None

    def _is_current(self, value: str) -> bool:
        if self._first is None or not value.startswith(PREFIX):
            return False
        try:
            self._first.decrypt(value.removeprefix(PREFIX).encode())
        except InvalidToken:
            return False
        return True


def _derived(secret: str) -> bytes:
    key = HKDF(SHA256(), _KEY_BYTES, salt=None, info=_PURPOSE).derive(secret.encode())
    return urlsafe_b64encode(key)
