"""The books as CSV, for a spreadsheet or an accountant. Codes and whole numbers stay here.

UTF-8, times in ISO 8601 and UTC, amounts in minor units and as people write them.
"""

import csv
import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TextIO

from sqlmodel.ext.asyncio.session import AsyncSession

from bot.spreadsheet import Cell, cell
from db import ledger, orders, payments
from db.session import Database
from services.money import to_decimal
from services.places import mask_phone

PAGE = 1000
Row = tuple[int, Sequence[Cell]]
"""An id, and what follows it in its line."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One file. `page` reads the rows after an id, lowest first."""

    name: str
    header: str
    page: Callable[[AsyncSession, int], Awaitable[list[Row]]]


async def write(database: Database, sheet: Sheet, directory: Path) -> int:
    """Into a file there, a page at a time, so that memory does not grow with the shop; how many rows."""
    partial, count, last = directory / f"{sheet.name}.partial", 0, 0
    with _private(partial) as file:
        writer = csv.writer(file)
        writer.writerow(sheet.header.split())
        while page := await _read(database, sheet, last):
            writer.writerows([id, *map(cell, cells)] for id, cells in page)
            count, last = count + len(page), page[-1][0]
    partial.replace(directory / sheet.name)
    return count


async def _read(database: Database, sheet: Sheet, after: int) -> list[Row]:
    async with database.read() as session:
        return await sheet.page(session, after)


def _private(path: Path) -> TextIO:
    """A new text file that nobody else on the machine may read."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    return open(descriptor, "w", encoding="utf-8", newline="")


def _money(amount: int | None, currency: str) -> tuple[int | None, Decimal | None]:
    """Minor units, and as people write them."""
    return amount, None if amount is None else to_decimal(amount, currency)


async def _ledger(session: AsyncSession, after: int) -> list[Row]:
    return [
        (
            entry.id or 0,
            (
                entry.created_at,
                entry.kind,
                entry.source,
                entry.destination,
                *_money(entry.amount, entry.currency),
                entry.currency,
                entry.order_id,
                entry.reason,
                entry.idempotency_key,
            ),
        )
        for entry in await ledger.entries_after(session, after, limit=PAGE)
    ]


async def _orders(session: AsyncSession, after: int) -> list[Row]:
    return [
        (
            order.id or 0,
            (
                purchase.id,
                order.created_at,
                order.activated_at,
                order.ended_at,
                order.status,
                order.user_id,
                service,
                purchase.country,
                *_money(purchase.price, purchase.currency),
                *_money(order.cost, purchase.currency),
                purchase.currency,
                order.supplier,
                order.supplier_ref,
                mask_phone(order.phone_number).removeprefix("+") if order.phone_number else None,
            ),
        )
        for order, purchase, service in await orders.all_after(session, after, limit=PAGE)
    ]


async def _payments(session: AsyncSession, after: int) -> list[Row]:
    return [
        (
            payment.id or 0,
            (
                payment.paid_at,
                payment.user_id,
                payment.stars,
                *_money(payment.amount, payment.currency),
                payment.currency,
                payment.status,
                payment.refunded_at,
                payment.refund_reason,
                payment.purchase_id,
                payment.charge_id,
            ),
        )
        for payment in await payments.all_after(session, after, limit=PAGE)
    ]


SHEETS = (
    Sheet(
        "ledger.csv",
        "id created_at kind source destination amount_minor amount currency order_id reason idempotency_key",
        _ledger,
    ),
    Sheet(
        "orders.csv",
        "id purchase_id created_at activated_at ended_at status user_id service country"
        " price_minor price cost_minor cost currency supplier supplier_ref number",
        _orders,
    ),
    Sheet(
        "payments.csv",
        "id paid_at user_id stars amount_minor amount currency status refunded_at refund_reason"
        " purchase_id charge_id",
        _payments,
    ),
)
