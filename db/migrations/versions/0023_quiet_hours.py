"""hours in which a broadcast waits"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    column = sa.Column("quiet_hours", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=True)
    op.add_column("broadcast", column)


def downgrade() -> None:
    op.drop_column("broadcast", "quiet_hours")
