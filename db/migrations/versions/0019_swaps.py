"""numbers that are swapped where no code comes"""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import UTCDateTime

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("purchase", sa.Column("swap_agreed_at", UTCDateTime(), nullable=True))
    op.add_column("number_order", sa.Column("swap_requested_at", UTCDateTime(), nullable=True))


def downgrade() -> None:
    op.drop_column("number_order", "swap_requested_at")
    op.drop_column("purchase", "swap_agreed_at")
