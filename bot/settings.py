"""Every setting, read once at start from the environment or `.env`. Amounts are minor units of `currency`."""

import os
import re
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from db.address import read_address
from services.money import exponent


class WrongSettings(Exception):
    """Some settings cannot work; the text says which and how to mend them, never their values."""


def _blank_is_none(value: Any) -> Any:
    return None if isinstance(value, str) and not value.strip() else value


def _ids(value: Any) -> Any:
    """ "1, 2" as people write it."""
    if not isinstance(value, str):
        return value
    ids = value.replace(",", " ").split()
    if not all(part.isdecimal() and 0 < int(part) < LARGEST_ID for part in ids):
        raise ValueError("must be Telegram user ids, separated by commas: 123456789, 987654321")
    return frozenset(map(int, ids))


def _fits_into_a_header(value: SecretStr | None) -> SecretStr | None:
    """Another character was caught in copying, and no call could be made with it."""
    if value and not re.fullmatch("[!-~]+", value.get_secret_value()):
        raise ValueError("has a space in it, or a character that no key has: copy it again")
    return value


THIS_MACHINE = {"localhost", "127.0.0.1", "::1"}
LARGEST_ID = 2**52
"""Of a person in Telegram's documents."""
MANY = 10**9
"""More than any amount or count that makes sense, and less than what databases can hold."""

Secret = Annotated[SecretStr | None, BeforeValidator(_blank_is_none)]
Key = Annotated[Secret, AfterValidator(_fits_into_a_header)]


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_file=os.environ.get("NUMLET_ENV_FILE", ".env"), extra="ignore", frozen=True, env_ignore_empty=True
    )

    bot_token: Key = None
    bot_api_url: str = "https://api.telegram.org"
    bot_updates: Literal["polling", "webhook"] = "polling"
    admin_ids: Annotated[frozenset[int], NoDecode, BeforeValidator(_ids)] = frozenset()
    support_chat_id: int | None = None
    public_url: str = ""
    http_host: str = "127.0.0.1"
    http_port: int = Field(default=8080, ge=0, le=65535)
    database_url: SecretStr = SecretStr("sqlite:///numlet.db")
    currency: str = "IDR"
    markup_percent: Decimal = Field(default=Decimal(20), ge=0, le=1000)
    smscode_token: Key = None
    smscode_url: str = "https://api.smscode.gg/v1"
    numberpanel_key: Key = None
    numberpanel_url: str = ""
    numberpanel_cost: int | None = Field(default=None, gt=0, le=MANY)
    numberpanel_lifetime_minutes: int = Field(default=20, ge=1, le=1440)
    numberpanel_webhook_key: Secret = None
    numberpanel_user_id: str = ""
    cellcast_token: Key = None
    cellcast_url: str = "https://api.cellcast.com"
    smsgateway24_token: Key = None
    smsgateway24_email: str | None = None
    smsgateway24_password: Secret = None
    smsgateway24_device_id: str | None = None
    smsgateway24_url: str = "https://smsgateway24.com/getdata"
    stars_rate: int = Field(default=200, ge=1, le=MANY)
    stars_newcomer_limit: int = Field(default=1000, ge=1, le=MANY)
    sms_price: int | None = Field(default=None, ge=1, le=MANY)
    low_balance_hours: int = Field(default=6, ge=0, le=1000)
    order_limit: int = Field(default=10, ge=1, le=MANY)
    order_limit_per_hour: int = Field(default=30, ge=1, le=MANY)
    reconcile_seconds: int = Field(default=15, ge=1, le=3600)
    invite_percent: Decimal = Field(default=Decimal(5), ge=0, le=100)
    invite_purchases: int = Field(default=3, ge=1, le=MANY)
    retention_days: int = Field(default=30, ge=1, le=3650)
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["console", "json"] = "console"

    @field_validator("currency")
    @classmethod
    def _known_currency(cls, value: str) -> str:
        exponent(value.upper())
        return value.upper()

    @field_validator(
        "bot_api_url", "smscode_url", "numberpanel_url", "cellcast_url", "smsgateway24_url", "public_url"
    )
    @classmethod
    def _web_address(cls, value: str) -> str:
        if value and (urlsplit(value).scheme not in ("http", "https") or not urlsplit(value).netloc):
            raise ValueError("must begin with https:// or http://")
        return value.rstrip("/")

    @field_validator("smsgateway24_url")
    @classmethod
    def _encrypted(cls, value: str) -> str:
        """The vendor answers without encryption, too, and its calls carry the password."""
        if urlsplit(value).scheme != "https" and urlsplit(value).hostname not in THIS_MACHINE:
            raise ValueError("must begin with https://, because the password goes there")
        return value

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: SecretStr) -> SecretStr:
        """Raises BadAddress."""
        read_address(value.get_secret_value())
        return value

    @field_validator("public_url")
    @classmethod
    def _only_an_address(cls, value: str) -> str:
        """Others are told it, and it is what all paths are put behind."""
        parts = urlsplit(value)
        if parts.query or parts.fragment or parts.username or " " in value:
            raise ValueError("must be an address and nothing else: https://numlet.example.com")
        return value

    @field_validator("numberpanel_webhook_key")
    @classmethod
    def _fits_into_a_path(cls, value: SecretStr | None) -> SecretStr | None:
        if value and not re.fullmatch(r"[A-Za-z0-9._~-]+", value.get_secret_value()):
            raise ValueError("may have letters and digits only; `openssl rand -hex 32` makes a good one")
        return value

    @model_validator(mode="after")
    def _webhooks_need_an_address(self) -> "Settings":
        if self.bot_updates == "webhook" and not self.public_url:
            raise ValueError("BOT_UPDATES=webhook needs PUBLIC_URL, the address at which Telegram reaches us")
        return self

    @model_validator(mode="after")
    def _a_login_is_whole(self) -> "Settings":
        if bool(self.smsgateway24_email) != bool(self.smsgateway24_password):
            raise ValueError("SMSGATEWAY24_EMAIL and SMSGATEWAY24_PASSWORD are only of use together")
        return self

    @field_validator("support_chat_id")
    @classmethod
    def _a_chat(cls, value: int | None) -> int | None:
        """Zero is what people write for none."""
        return value or None

    @property
    def stars_are_sold(self) -> bool:
        """The default rate is meant for rupiah: 200 cents a Star would give money away."""
        return self.currency == "IDR" or "stars_rate" in self.model_fields_set

    @property
    def page_url(self) -> str:
        """Where Telegram opens the page of the shop: https, but in the sandbox. Empty where it cannot."""
        hosts = {urlsplit(self.public_url).hostname, urlsplit(self.bot_api_url).hostname}
        is_open = self.public_url.startswith("https://") or hosts <= THIS_MACHINE
        return f"{self.public_url}/app" if self.public_url and is_open else ""

    @property
    def bot_api_origin(self) -> str:
        """Without the path: who shows what the bot shows."""
        parts = urlsplit(self.bot_api_url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def reconcile_every(self) -> timedelta:
        return timedelta(seconds=self.reconcile_seconds)

    @property
    def retention(self) -> timedelta:
        return timedelta(days=self.retention_days)


def read_settings(**overrides: Any) -> Settings:
    """Raises WrongSettings with one line for each setting that is wrong."""
    try:
        return Settings(**overrides)
    except ValidationError as error:
        raise WrongSettings("\n".join(_sentence(dict(problem)) for problem in error.errors())) from None


def _sentence(problem: dict[str, Any]) -> str:
    name = ".".join(str(part) for part in problem["loc"]).upper()
    reason = str(problem["msg"]).removeprefix("Value error, ")
    return f"{name}: {reason}" if name else reason
