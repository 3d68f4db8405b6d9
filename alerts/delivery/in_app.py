"""In the application itself: the history of alerts is what is told, so nothing is sent."""

from typing import ClassVar

from alerts.delivery.channel import ChannelKind, Letter, Outside


class InApp(ChannelKind):
    """Shows alerts in the list of what is unread, and to subscribers of `alertChanged`."""

    NAME: ClassVar[str] = "in_app"
    SENDS: ClassVar[bool] = False

    async def send(self, letter: Letter, outside: Outside) -> str:  # noqa: ARG002 - as all kinds
        """Nothing is sent."""
        return "It is in the list of what happened."
