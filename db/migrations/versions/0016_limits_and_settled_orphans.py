"""limits of single renters, and orphans that somebody has looked into"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("user_account", sa.Column("open_limit", sa.Integer(), nullable=True))
    op.add_column("user_account", sa.Column("hourly_limit", sa.Integer(), nullable=True))
    op.add_column("orphan", sa.Column("settled_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True))
    # What was told of before there was anything to settle is no news.
    op.execute("UPDATE orphan SET settled_at = found_at")


def downgrade() -> None:
    op.drop_column("orphan", "settled_at")
    op.drop_column("user_account", "hourly_limit")
    op.drop_column("user_account", "open_limit")
