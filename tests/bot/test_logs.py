"""Nothing that is logged tells a secret."""

import json
import logging

import pytest
import structlog

from bot.logs import configure

TOKEN = "123456789:AAEhBOweik6ad9r_QXMENQjcrGbqCr4K-bc"


def logged(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().err


def test_secrets_tokens_and_phone_numbers_are_taken_out(capsys):
    configure("DEBUG", "json", secrets=["hunter2"])
    log = structlog.get_logger()
    log.info(
        "call", url=f"https://api.telegram.org/bot{TOKEN}/getMe", password="hunter2", to="+6281234567890"
    )
    text = logged(capsys)
    assert json.loads(text)["event"] == "call"
    for secret in (TOKEN, "hunter2", "81234567"):
        assert secret not in text


def test_tracebacks_and_other_libraries_are_cleaned_too(capsys):
    configure("DEBUG", "json", secrets=["hunter2"])
    try:
        raise ValueError(f"hunter2 at {TOKEN}")
    except ValueError:
        structlog.get_logger().exception("failed")
        logging.getLogger("elsewhere").exception("bot %s", TOKEN)
    text = logged(capsys)
    assert text.count("ValueError") >= 2
    assert TOKEN not in text
    assert "hunter2" not in text
