"""what suppliers say of our balance; the ledger by time"""

import sqlalchemy as sa
import sqlmodel
from alembic import op


revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "supplier_balance",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("supplier", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sqlmodel.sql.sqltypes.AutoString(length=3), nullable=False),
        sa.Column("spent", sa.BigInteger(), nullable=False),
        sa.Column("under_way", sa.BigInteger(), nullable=False),
        sa.Column("unexplained", sa.BigInteger(), nullable=True),
        sa.Column("tolerance", sa.BigInteger(), nullable=False),
        sa.Column("taken_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_supplier_balance")),
    )
    op.create_index("ix_supplier_balance_supplier_id", "supplier_balance", ["supplier", "id"])
    op.create_index("ix_ledger_entry_created_at", "ledger_entry", ["created_at"])


def downgrade() -> None:
    op.drop_index("ix_ledger_entry_created_at", table_name="ledger_entry")
    op.drop_table("supplier_balance")
