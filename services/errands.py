"""What a supplier is to be asked, promised in the commit of the wish; workers of the outbox run it."""

import secrets
from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from services.outbox import SUPPLIER, Outbox

BUY, CANCEL, FINISH, RESEND = "buy", "cancel", "finish", "resend"


async def buy(session: AsyncSession, outbox: Outbox, purchase_id: int, *, key: str) -> None:
    """Numbers for the orders of a purchase that have none yet; `key` names what they are wanted for."""
    await outbox.add(
        session,
        BUY,
        {"purchase_id": purchase_id},
        lane=SUPPLIER,
        serial=f"purchase:{purchase_id}",
        key=f"{BUY}:{key}",
    )


async def ask(
    session: AsyncSession, outbox: Outbox, errand: str, order_id: int, *, due_at: datetime | None = None
) -> None:
    """To cancel, finish or resend. The caller holds the order's row: so two taps do not ask twice."""
    await outbox.add(
        session,
        errand,
        {"order_id": order_id},
        lane=SUPPLIER,
        serial=f"{errand}:{order_id}",
        # What was refused may be asked for again.
        key=f"{errand}:{order_id}:{secrets.token_hex(8)}",
        due_at=due_at,
    )
