"""what statistics look for by its time"""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_purchase_created_at", "purchase", ["created_at"])
    op.create_index("ix_user_account_created_at", "user_account", ["created_at"])


def downgrade() -> None:
    op.drop_index("ix_user_account_created_at", "user_account")
    op.drop_index("ix_purchase_created_at", "purchase")
