"""who takes broadcasts, and codes that are deleted from the chat"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "user_account",
        sa.Column("takes_broadcasts", sa.Boolean(), server_default=sa.true(), nullable=False),
    )
    op.add_column("user_account", sa.Column("codes_erased_after", sa.Integer(), nullable=True))
    op.add_column("sms", sa.Column("cleared_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True))


def downgrade() -> None:
    op.drop_column("sms", "cleared_at")
    op.drop_column("user_account", "codes_erased_after")
    op.drop_column("user_account", "takes_broadcasts")
