"""the orders that began to wait a moment ago"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_number_order_waiting",
        "number_order",
        ["activated_at"],
        sqlite_where=sa.text("status IN ('active','received')"),
        postgresql_where=sa.text("status IN ('active','received')"),
    )


def downgrade() -> None:
    op.drop_index("ix_number_order_waiting", table_name="number_order")
