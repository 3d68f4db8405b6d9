"""The kinds of channels, each in a file of its own; `KINDS` has them by name."""

from collections.abc import Mapping

from alerts.delivery.alertmanager import Alertmanager
from alerts.delivery.apprise import AppriseService
from alerts.delivery.channel import ChannelKind
from alerts.delivery.email import Email
from alerts.delivery.in_app import InApp
from alerts.delivery.pagerduty import PagerDuty
from alerts.delivery.slack import Slack
from alerts.delivery.webhook import Webhook

KINDS: Mapping[str, type[ChannelKind]] = {
    kind.NAME: kind
    for kind in (Alertmanager, AppriseService, Email, InApp, PagerDuty, Slack, Webhook)
}
