"""codes that come late can be bought"""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import UTCDateTime

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("number_order", sa.Column("late_until", UTCDateTime(), nullable=True))
    op.add_column("number_order", sa.Column("late_paid_at", UTCDateTime(), nullable=True))


def downgrade() -> None:
    op.drop_column("number_order", "late_paid_at")
    op.drop_column("number_order", "late_until")
