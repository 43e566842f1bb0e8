"""Which senders of SMS are connected, by their settings."""

from bot.settings import Settings
from services.clock import Clock
from services.senders.base import Sender
from services.senders.cellcast import Cellcast
from services.senders.smsgateway24 import Login, SmsGateway24


def connect_senders(settings: Settings, clock: Clock) -> list[Sender]:
    """Every sender of SMS whose settings are there; a new one is one more branch."""
    connected: list[Sender] = []
    if settings.cellcast_token:
        token = settings.cellcast_token.get_secret_value()
        connected.append(Cellcast(token=token, url=settings.cellcast_url, clock=clock))
    if settings.smsgateway24_token or settings.smsgateway24_password:
        connected.append(_smsgateway24(settings, clock))
    return connected


def _smsgateway24(settings: Settings, clock: Clock) -> SmsGateway24:
    token, login = settings.smsgateway24_token, None
    if settings.smsgateway24_email and settings.smsgateway24_password:
        login = Login(settings.smsgateway24_email, settings.smsgateway24_password.get_secret_value())
    return SmsGateway24(
        token=token.get_secret_value() if token else None,
        login=login,
        device_id=settings.smsgateway24_device_id,
        url=settings.smsgateway24_url,
        clock=clock,
    )
