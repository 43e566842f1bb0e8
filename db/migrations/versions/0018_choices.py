"""the language and the currency that somebody has chosen"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("user_account", sa.Column("chosen_language", sa.String(16), nullable=True))
    op.add_column("user_account", sa.Column("chosen_currency", sa.String(3), nullable=True))


def downgrade() -> None:
    op.drop_column("user_account", "chosen_currency")
    op.drop_column("user_account", "chosen_language")
