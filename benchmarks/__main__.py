"""`./numlet bench [NAME …] [--json]`: what the product costs, as ratios within one run."""

import json
import os
import platform
import sqlite3
import sys

import uvloop

from benchmarks import (
    audit,
    broadcast,
    burst,
    catalog,
    chaos,
    demo,
    growth,
    intake,
    path_of_a_code,
    soak,
    tap,
)

BENCHMARKS = {
    "intake": ("webhook accepted durably, SQLite, 64 connections", intake.on_sqlite),
    "intake-postgresql": ("webhook accepted durably, PostgreSQL, 64 connections", intake.on_postgresql),
    "code": ("code: webhook in → sendMessage reaches the Bot API, quiet", path_of_a_code.measure),
    "burst": ("500 codes at once, Telegram's limits on", burst.measure),
    "tap": ("a tap on a menu of 100 services × 150 countries × 3 suppliers", tap.measure),
    "broadcast": ("broadcast to 10,000, 500 of them gone, a kill -9 in the middle", broadcast.measure),
    "audit": ("the books examined, a million entries", audit.measure),
    "catalog": ("catalog refresh, 100 services × 150 countries × 3 suppliers", catalog.measure),
    "growth": ("1,000,000 users, 100,000 open orders, SQLite", growth.on_sqlite),
    "growth-postgresql": ("1,000,000 users, 100,000 open orders, PostgreSQL", growth.on_postgresql),
    "demo": ("the demo, from its command to a usable page, dependencies installed", demo.measure),
    "soak": ("an hour of the outside's time at a steady load, twelve times as fast", soak.measure),
    "chaos": ("two processes on one PostgreSQL, a minute of kill -9", chaos.measure),
}


def main() -> None:
    asked = [argument for argument in sys.argv[1:] if argument != "--json"]
    if unknown := sorted(set(asked) - set(BENCHMARKS)):
        sys.exit(f"bench: there is no {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}, and --json")
    print(
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version},"
        f" {os.cpu_count()} cores, {platform.machine()}, load {os.getloadavg()[0]:.1f}\n"
    )
    table: dict[str, dict[str, float]] = {}
    for title, measure in (BENCHMARKS[name] for name in asked or BENCHMARKS):
        table[title] = uvloop.run(measure())
        print(title)
        for name, figure in table[title].items():
            print(f"  {name:<34} {figure:>12,.2f}")
        print(flush=True)
    if "--json" in sys.argv:
        print(json.dumps(table))


main()
