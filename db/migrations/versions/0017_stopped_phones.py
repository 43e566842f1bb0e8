"""the phones that have answered STOP"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

STRING = sqlmodel.sql.sqltypes.AutoString
MOMENT = sqlmodel.sql.sqltypes.UTCDateTime


def upgrade() -> None:
    op.create_table(
        "stopped_phone",
        sa.Column("phone_number", STRING(length=20), nullable=False),
        sa.Column("sender", STRING(length=32), nullable=False),
        sa.Column("stopped_at", MOMENT(), nullable=False),
        sa.PrimaryKeyConstraint("phone_number", name=op.f("pk_stopped_phone")),
    )


def downgrade() -> None:
    op.drop_table("stopped_phone")
