"""SMS that we send."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "text_message",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("purpose", sqlmodel.sql.sqltypes.AutoString(length=16), nullable=False),
        sa.Column("idempotency_key", sqlmodel.sql.sqltypes.AutoString(length=96), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("phone_number", sqlmodel.sql.sqltypes.AutoString(length=20), nullable=False),
        sa.Column("body", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.Column("status", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("sender", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=True),
        sa.Column("sender_ref", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=True),
        sa.Column("failure", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=True),
        sa.Column("check_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.Column("created_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("updated_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.CheckConstraint(
            "status IN ('queued','sending','accepted','sent','delivered','failed','unknown')",
            name=op.f("ck_text_message_status_known"),
        ),
        sa.CheckConstraint(
            "status IN ('queued','failed') OR sender IS NOT NULL",
            name=op.f("ck_text_message_sender_known"),
        ),
        sa.CheckConstraint("parts > 0", name=op.f("ck_text_message_parts_positive")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_text_message_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_text_message")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_text_message_idempotency_key")),
    )
    with op.batch_alter_table("text_message", schema=None) as batch_op:
        batch_op.create_index(
            "ix_text_message_due",
            ["check_at"],
            unique=False,
            sqlite_where=sa.text("check_at IS NOT NULL"),
            postgresql_where=sa.text("check_at IS NOT NULL"),
        )


def downgrade() -> None:
    op.drop_table("text_message")
