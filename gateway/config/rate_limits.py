"""The rate limits as the settings have them."""

from access.limits import Budget, Limit, Rules
from gateway.config.settings import Settings

BURST_PART = 3  # subscriptions, events and costs may save up a third of a window


def default_rules(settings: Settings) -> Rules:
    """The limits that hold where admins have set no others."""
    if not settings.rate_limit_enabled:
        return Rules({})
    window = settings.rate_limit_window

    def with_burst(refill: int) -> Limit:
        return Limit(refill, window, refill // BURST_PART)

    return Rules(
        {
            Budget.REQUESTS: Limit(settings.rate_limit_max, window, settings.rate_limit_burst),
            Budget.SUBSCRIPTIONS: with_burst(settings.rate_limit_subscriptions_max),
            Budget.ADDRESS: Limit(settings.rate_limit_address_max, window),
            Budget.COST: with_burst(settings.rate_limit_cost_max),
            Budget.EVENTS: with_burst(settings.rate_limit_events_max),
            Budget.KIBIBYTES: with_burst(settings.rate_limit_kibibytes_max),
        }
    )
