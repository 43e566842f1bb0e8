"""since when a promise fails"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    column = sa.Column("failing_since", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True)
    op.add_column("outbox_message", column)


def downgrade() -> None:
    op.drop_column("outbox_message", "failing_since")
