"""phones of renters, and what texts are for"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
STRING = sqlmodel.sql.sqltypes.AutoString
MOMENT = sqlmodel.sql.sqltypes.UTCDateTime


def upgrade() -> None:
    op.create_table(
        "linked_phone",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("phone_number", STRING(length=20), nullable=False),
        sa.Column("forwards_codes", sa.Boolean(), nullable=False),
        sa.Column("takes_news", sa.Boolean(), nullable=False),
        sa.Column("takes_alarms", sa.Boolean(), nullable=False),
        sa.Column("linked_at", MOMENT(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_linked_phone_user_id")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_linked_phone")),
        sa.UniqueConstraint("phone_number", name=op.f("uq_linked_phone_phone_number")),
    )
    op.create_table(
        "phone_check",
        sa.Column("id", KEY, nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("phone_number", STRING(length=20), nullable=False),
        sa.Column("code", STRING(length=8), nullable=False),
        sa.Column("idempotency_key", STRING(length=64), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("sent_at", MOMENT(), nullable=False),
        sa.Column("proven_at", MOMENT(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_phone_check_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_phone_check")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_phone_check_idempotency_key")),
    )
    op.create_index("ix_phone_check_user_id_id", "phone_check", ["user_id", "id"])
    op.create_index("ix_phone_check_phone_number_sent_at", "phone_check", ["phone_number", "sent_at"])
    _add_to_broadcasts()
    _add_to_texts()


def _add_to_broadcasts() -> None:
    op.add_column("broadcast", sa.Column("text_body", STRING(), nullable=True))
    op.add_column("broadcast", sa.Column("by_text", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("broadcast", sa.Column("text_total", sa.Integer(), nullable=True))
    for name, kind in (("text_last_user_id", sa.BigInteger()), ("text_setbacks", sa.Integer())):
        op.add_column("broadcast", sa.Column(name, kind, nullable=False, server_default="0"))


def _add_to_texts() -> None:
    op.add_column("text_message", sa.Column("charge", sa.BigInteger(), nullable=True))
    op.add_column(
        "text_message",
        sa.Column("broadcast_id", sa.BigInteger(), sa.ForeignKey("broadcast.id"), nullable=True),
        inline_references=True,
    )
    # What is on its way at this moment is given up rather than sent late.
    op.add_column(
        "text_message",
        sa.Column("expires_at", MOMENT(), nullable=False, server_default="2000-01-01 00:00:00.000000"),
    )
    op.create_index(
        "ix_text_message_queued",
        "text_message",
        ["user_id"],
        sqlite_where=sa.text("status = 'queued'"),
        postgresql_where=sa.text("status = 'queued'"),
    )
    op.create_index(
        "ix_text_message_broadcast",
        "text_message",
        ["broadcast_id", "status"],
        sqlite_where=sa.text("broadcast_id IS NOT NULL"),
        postgresql_where=sa.text("broadcast_id IS NOT NULL"),
    )
