"""why a text failed, in its sender's words"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("text_message", sa.Column("reason", sa.String(120)))


def downgrade() -> None:
    op.drop_column("text_message", "reason")
