"""`./numlet bench`: what the product costs, as ratios within one run."""

import json
import platform
import sqlite3
import sys

import uvloop

from benchmarks import intake, path_of_a_code


def main() -> None:
    print(f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {platform.machine()}\n")
    table = {
        "webhook accepted durably, SQLite, 64 connections": uvloop.run(intake.measure()),
        "code: webhook in → sendMessage reaches the Bot API, quiet": uvloop.run(path_of_a_code.measure()),
    }
    for title, figures in table.items():
        print(title)
        for name, figure in figures.items():
            print(f"  {name:<34} {figure:>12,.2f}")
        print()
    if "--json" in sys.argv:
        print(json.dumps(table))


main()
