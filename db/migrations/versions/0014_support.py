"""conversations with renters, and problems with orders"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
STRING = sqlmodel.sql.sqltypes.AutoString
MOMENT = sqlmodel.sql.sqltypes.UTCDateTime


def upgrade() -> None:
    _create_conversations()
    _create_disputes()


def _create_conversations() -> None:
    op.create_table(
        "support_topic",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("chat_id", sa.BigInteger(), nullable=False),
        sa.Column("topic_id", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", MOMENT(), nullable=True),
        sa.Column("created_at", MOMENT(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_support_topic_user_id")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_support_topic")),
        sa.UniqueConstraint("chat_id", "topic_id", name=op.f("uq_support_topic_chat_id_topic_id")),
    )
    op.create_table(
        "support_message",
        sa.Column("id", KEY, nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("author_id", sa.BigInteger(), nullable=False),
        sa.Column("chat_id", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("reply_to", sa.BigInteger(), nullable=True),
        sa.Column("to_chat_id", sa.BigInteger(), nullable=False),
        sa.Column("copy_id", sa.BigInteger(), nullable=True),
        sa.Column("header_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", MOMENT(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_support_message_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_support_message")),
        sa.UniqueConstraint(
            "chat_id",
            "message_id",
            "to_chat_id",
            name=op.f("uq_support_message_chat_id_message_id_to_chat_id"),
        ),
    )
    for columns in (["to_chat_id", "copy_id"], ["to_chat_id", "header_id"], ["user_id", "created_at"]):
        op.create_index(f"ix_support_message_{'_'.join(columns)}", "support_message", columns)


def _create_disputes() -> None:
    op.create_table(
        "dispute",
        sa.Column("id", KEY, nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("reason", STRING(length=16), nullable=False),
        sa.Column("text", STRING(), nullable=True),
        sa.Column("status", STRING(), nullable=False),
        sa.Column("created_at", MOMENT(), nullable=False),
        sa.Column("decided_at", MOMENT(), nullable=True),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("answer", STRING(length=16), nullable=True),
        sa.Column("answer_text", STRING(), nullable=True),
        sa.CheckConstraint("status IN ('open','refunded','rejected')", name=op.f("ck_dispute_status_known")),
        sa.CheckConstraint(
            "reason IN ('no_code','wrong_code','used','other')", name=op.f("ck_dispute_reason_known")
        ),
        sa.CheckConstraint("(status = 'open') = (decided_at IS NULL)", name=op.f("ck_dispute_decided_once")),
        sa.ForeignKeyConstraint(["order_id"], ["number_order.id"], name=op.f("fk_dispute_order_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_dispute_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dispute")),
        sa.UniqueConstraint("order_id", name=op.f("uq_dispute_order_id")),
    )
    op.create_index("ix_dispute_user_id", "dispute", ["user_id"])
    op.create_index(
        "ix_dispute_open",
        "dispute",
        ["created_at"],
        sqlite_where=sa.text("status = 'open'"),
        postgresql_where=sa.text("status = 'open'"),
    )
    op.create_table(
        "dispute_card",
        sa.Column("dispute_id", sa.BigInteger(), nullable=False),
        sa.Column("chat_id", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("asks_words_of", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["dispute_id"], ["dispute.id"], name=op.f("fk_dispute_card_dispute_id")),
        sa.PrimaryKeyConstraint("dispute_id", "chat_id", name=op.f("pk_dispute_card")),
        sa.UniqueConstraint("chat_id", "message_id", name=op.f("uq_dispute_card_chat_id_message_id")),
    )
