"""Which suppliers the settings connect."""

from datetime import timedelta

from bot.settings import Settings
from services.clock import Clock
from services.money import to_decimal
from services.suppliers.base import Supplier
from services.suppliers.numberpanel import NumberPanel
from services.suppliers.smscode import SmsCode


def connect_suppliers(settings: Settings, clock: Clock) -> list[Supplier]:
    """Every supplier whose settings are there; a new one is a function below and a word here."""
    found = (connect(settings, clock) for connect in (_smscode, _numberpanel))
    return [supplier for supplier in found if supplier]


def _smscode(settings: Settings, clock: Clock) -> Supplier | None:
    if settings.smscode_token is None:
        return None
    return SmsCode(token=settings.smscode_token.get_secret_value(), url=settings.smscode_url, clock=clock)


def _numberpanel(settings: Settings, clock: Clock) -> Supplier | None:
    if settings.numberpanel_key is None or not settings.numberpanel_url:
        return None
    cost, webhook_key = settings.numberpanel_cost, settings.numberpanel_webhook_key
    return NumberPanel(
        key=settings.numberpanel_key.get_secret_value(),
        url=settings.numberpanel_url,
        cost_decimal=to_decimal(cost, settings.currency) if cost else None,
        currency=settings.currency,
        lifetime=timedelta(minutes=settings.numberpanel_lifetime_minutes),
        webhook_key=webhook_key.get_secret_value() if webhook_key else "",
        user_id=settings.numberpanel_user_id,
        clock=clock,
    )
