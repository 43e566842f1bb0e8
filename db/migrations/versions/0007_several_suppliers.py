"""several suppliers: numbers for any service, of a network, of unknown stock; SMS that belong to nobody"""

import sqlalchemy as sa
import sqlmodel
from alembic import op


revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def checks() -> tuple[sa.CheckConstraint, ...]:
    """SQLite rebuilds the table, and reads back everything of it but these."""
    return (
        sa.CheckConstraint("cost > 0", name=op.f("ck_offer_cost_positive")),
        sa.CheckConstraint("stock >= 0", name=op.f("ck_offer_stock_not_negative")),
    )


def upgrade() -> None:
    with op.batch_alter_table("offer", table_args=checks()) as offer:
        offer.alter_column("service_id", existing_type=sa.Integer(), nullable=True)
        offer.alter_column("stock", existing_type=sa.Integer(), nullable=True)
        offer.add_column(sa.Column("network", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=True))
    op.add_column(
        "purchase", sa.Column("network", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=True)
    )
    op.add_column("invoice", sa.Column("network", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=True))
    op.add_column(
        "orphan", sa.Column("phone_number", sqlmodel.sql.sqltypes.AutoString(length=24), nullable=True)
    )
    op.add_column("orphan", sa.Column("code", sqlmodel.sql.sqltypes.AutoString(), nullable=True))
    op.add_column("orphan", sa.Column("text", sqlmodel.sql.sqltypes.AutoString(), nullable=True))
    op.create_index("ix_number_order_supplier_phone_number", "number_order", ["supplier", "phone_number"])


def downgrade() -> None:
    op.drop_index("ix_number_order_supplier_phone_number", "number_order")
    for name in ("text", "code", "phone_number"):
        op.drop_column("orphan", name)
    op.drop_column("invoice", "network")
    op.drop_column("purchase", "network")
    op.execute("DELETE FROM offer WHERE service_id IS NULL OR stock IS NULL")
    with op.batch_alter_table("offer", table_args=checks()) as offer:
        offer.drop_column("network")
        offer.alter_column("stock", existing_type=sa.Integer(), nullable=False)
        offer.alter_column("service_id", existing_type=sa.Integer(), nullable=False)
