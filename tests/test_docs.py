"""The pages, the examples and the files that put it on a server say what the program does."""

import json
import re
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest
import typer
from prometheus_client import REGISTRY
from pydantic import SecretStr

from bot import cli, running  # whoever imports the program has all its metrics
from bot.commands import operator_commands, renter_commands
from bot.language import Language
from bot.settings import Settings
from services.roles import Role

ROOT = Path(running.__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
RULES = ROOT / "deploy" / "prometheus-rules.yaml"
DASHBOARD = ROOT / "deploy" / "grafana.json"

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)|(?:src|href)=\"([^\"]+)\"")


def text_of(path: str) -> str:
    return (ROOT / path).read_text()


def prose(page: Path) -> str:
    """A page without its blocks of code."""
    return re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """What a link can point at in a page, as GitHub names it."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links() -> Iterator[tuple[Path, str]]:
    for page in PAGES:
        for found in LINK.finditer(prose(page)):
            target = found[1] or found[2]
            if not re.match(r"[a-z]+:", target):
                yield page, target


@pytest.mark.parametrize(("page", "target"), list(links()), ids=lambda value: getattr(value, "name", value))
def test_a_link_leads_somewhere(page: Path, target: str):
    path, _, anchor = target.partition("#")
    file = (page.parent / path).resolve() if path else page
    assert file.exists()
    assert not anchor or anchor in anchors(file)


NAMED = re.compile(r"`((?:bot|services|db|sandbox|tests|benchmarks|deploy|docs)/[\w./-]+)`")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_file_that_a_page_names_is_there(page: Path):
    assert [name for name in NAMED.findall(prose(page)) if not (ROOT / name).exists()] == []


def shown(default: object) -> str:
    """A default as a person would write it."""
    if isinstance(default, SecretStr):
        return default.get_secret_value()
    return str(default) if default or default == 0 else ""


DEFAULTS = {name.upper(): shown(field.default) for name, field in Settings.model_fields.items()}


def test_the_example_shows_every_setting_with_its_default():
    lines = re.findall(r"^#? ?([A-Z][A-Z0-9_]+)=(.*)$", text_of(".env.example"), re.MULTILINE)
    assert dict(lines) == DEFAULTS


def test_the_page_on_settings_has_every_setting_with_its_default():
    rows = re.findall(
        r"^\| `([A-Z0-9_]+)` \| (?:`(.*?)`|none) \| .+ \| .+ \|$", text_of("docs/settings.md"), re.M
    )
    assert dict(rows) == DEFAULTS


def test_the_readme_has_every_command_of_the_chat():
    english = Language.of("en")
    for name, _ in renter_commands(english) + operator_commands(english, Role.OWNER):
        assert f"`/{name}" in text_of("README.md"), name


def test_the_readme_has_every_command_of_the_command_line():
    for name in typer.main.get_group(cli.app).commands:
        assert f"`./numlet {name}" in text_of("README.md"), name


def metrics() -> set[str]:
    """Every name that Prometheus can ask for."""
    names = set()
    for family in REGISTRY.collect():
        suffixes = {"counter": ["_total"], "histogram": ["_bucket", "_count", "_sum"]}.get(family.type, [""])
        names |= {family.name + suffix for suffix in suffixes}
    return names


def test_the_page_has_every_metric():
    page = text_of("docs/operations.md")
    for family in REGISTRY.collect():
        name = f"{family.name}_total" if family.type == "counter" else family.name
        assert not name.startswith("numlet_") or f"`{name}`" in page, name


@pytest.mark.parametrize("file", [RULES, DASHBOARD], ids=lambda file: file.name)
def test_what_is_watched_is_measured(file: Path):
    asked = set(re.findall(r"\bnumlet_\w+", file.read_text()))
    assert asked
    assert asked <= metrics()


def test_every_alert_has_its_page_and_the_pages_know_no_other():
    pointed = re.findall(r"runbook: (\S+)#(\S+)", RULES.read_text())
    alerts = re.findall(r"alert: (\w+)", RULES.read_text())
    assert len(pointed) == len(alerts)
    assert all(anchor in anchors(ROOT / page) for page, anchor in pointed)
    assert set(re.findall(r"`(Numlet[A-Z]\w+)`", text_of("docs/runbook.md"))) == set(alerts)


def test_the_dashboard_is_whole():
    panels = json.loads(DASHBOARD.read_text())["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert all(target["expr"] for panel in panels for target in panel["targets"])


def test_the_image_has_what_the_program_is_made_of():
    copied = set(re.findall(r"^COPY (?!--from)(\S+)", text_of("Dockerfile"), re.MULTILINE))
    packages = tomllib.loads(text_of("pyproject.toml"))["tool"]["hatch"]["build"]["targets"]["wheel"][
        "packages"
    ]
    assert copied == {*packages, "requirements.lock"}
    let_in = re.findall(r"^!(\S+)", text_of(".dockerignore"), re.MULTILINE)
    assert all(any(fnmatch(path, pattern) for pattern in let_in) for path in copied)
