"""Settings: what is wrong is said in one line each."""

import re

import pytest

from bot.settings import Settings, WrongSettings, read_settings


def read(**values: str) -> Settings:
    return read_settings(_env_file=None, **values)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("currency", "XXXX", "CURRENCY: 'XXXX' is not the ISO 4217 code"),
        ("database_url", "mysql://x", "DATABASE_URL: must begin with sqlite:/// or postgresql://"),
        ("bot_updates", "pigeon", "BOT_UPDATES: Input should be 'polling' or 'webhook'"),
        ("bot_updates", "webhook", "BOT_UPDATES=webhook needs PUBLIC_URL"),
        ("public_url", "numlet.example", "PUBLIC_URL: must begin with https:// or http://"),
        ("http_port", "99999", "HTTP_PORT"),
        ("smsgateway24_url", "http://sms.example", "SMSGATEWAY24_URL: must begin with https://"),
        ("smsgateway24_email", "owner@shop.example", "SMSGATEWAY24_EMAIL and SMSGATEWAY24_PASSWORD"),
        ("smsgateway24_password", "hunter2", "SMSGATEWAY24_EMAIL and SMSGATEWAY24_PASSWORD"),
        ("admin_ids", "olga", "ADMIN_IDS: must be Telegram user ids, separated by commas"),
        ("admin_ids", "-100123", "ADMIN_IDS: must be Telegram user ids, separated by commas"),
        ("admin_ids", "9" * 30, "ADMIN_IDS: must be Telegram user ids, separated by commas"),
        ("database_url", "numlet.db", "DATABASE_URL: must begin with sqlite:/// or postgresql://"),
        ("database_url", "sqlite://", "DATABASE_URL: must name a file"),
        ("database_url", "sqlite:///:memory:", "DATABASE_URL: must name a file"),
        ("database_url", "postgresql://u:p@h:port/x", "DATABASE_URL: has a port that is no number"),
        ("database_url", "postgresql://u@h/x?channel_binding=require", "not understood, channel_binding"),
        ("public_url", "https://me:hunter2@x.example", "PUBLIC_URL: must be an address and nothing else"),
        ("public_url", "https://x.example?shop=1", "PUBLIC_URL: must be an address and nothing else"),
        ("smscode_token", "tök", "SMSCODE_TOKEN: has a space in it, or a character that no key has"),
        ("bot_token", "123456: abc", "BOT_TOKEN: has a space in it, or a character that no key has"),
        ("retention_days", "99999999999", "RETENTION_DAYS: Input should be less than or equal to 3650"),
        ("reconcile_seconds", "99999999999", "RECONCILE_SECONDS: Input should be less than"),
        ("stars_rate", "9" * 20, "STARS_RATE: Input should be less than"),
        ("markup_percent", "-1", "MARKUP_PERCENT"),
    ],
)
def test_a_wrong_setting_is_named(name, value, says):
    with pytest.raises(WrongSettings, match=re.escape(says)):
        read(**{name: value})


def test_a_wrong_secret_is_never_repeated():
    with pytest.raises(WrongSettings) as caught:
        read(database_url="mysql://root:hunter2@host/x")
    assert "hunter2" not in str(caught.value)


def test_ids_are_read_as_people_write_them():
    assert read(admin_ids="1, 2 3,").admin_ids == {1, 2, 3}


@pytest.mark.parametrize(
    ("values", "sold"),
    [({}, True), ({"currency": "USD"}, False), ({"currency": "USD", "stars_rate": "1"}, True)],
)
def test_stars_are_sold_at_a_rate_that_was_meant_for_the_currency(values, sold):
    assert read(**values).stars_are_sold is sold


SANDBOX = {"public_url": "http://127.0.0.1:8080", "bot_api_url": "http://127.0.0.1:9000/telegram"}


@pytest.mark.parametrize(
    ("settings", "page"),
    [
        ({}, ""),
        ({"public_url": "https://numlet.example"}, "https://numlet.example/app"),
        ({"public_url": "http://numlet.example"}, ""),
        ({"public_url": "http://127.0.0.1:8080"}, ""),
        (SANDBOX, "http://127.0.0.1:8080/app"),
    ],
)
def test_the_page_of_the_shop_is_where_telegram_would_open_it(settings, page):
    assert read(**settings).page_url == page
