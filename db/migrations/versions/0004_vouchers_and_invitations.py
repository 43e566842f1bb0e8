"""vouchers and invitations"""

import sqlalchemy as sa
import sqlmodel
from alembic import op


revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "voucher",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sqlmodel.sql.sqltypes.AutoString(length=20), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sqlmodel.sql.sqltypes.AutoString(length=3), nullable=False),
        sa.Column("max_uses", sa.Integer(), nullable=False),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.Column("expires_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("revoked_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.Column("created_by", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("idempotency_key", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_voucher_amount_positive")),
        sa.CheckConstraint("max_uses > 0", name=op.f("ck_voucher_max_uses_positive")),
        sa.CheckConstraint("uses BETWEEN 0 AND max_uses", name=op.f("ck_voucher_uses_in_range")),
        sa.ForeignKeyConstraint(["created_by"], ["user_account.id"], name=op.f("fk_voucher_created_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_voucher")),
        sa.UniqueConstraint("code", name=op.f("uq_voucher_code")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_voucher_idempotency_key")),
    )
    op.create_table(
        "redemption",
        sa.Column("voucher_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("redeemed_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_redemption_user_id")),
        sa.ForeignKeyConstraint(["voucher_id"], ["voucher.id"], name=op.f("fk_redemption_voucher_id")),
        sa.PrimaryKeyConstraint("voucher_id", "user_id", name=op.f("pk_redemption")),
    )
    op.create_table(
        "wrong_guess",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("guessed_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_wrong_guess_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wrong_guess")),
    )
    op.create_index("ix_wrong_guess_user_id_guessed_at", "wrong_guess", ["user_id", "guessed_at"])
    op.create_index(op.f("ix_wrong_guess_guessed_at"), "wrong_guess", ["guessed_at"])
    op.create_table(
        "invite_link",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("token", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_invite_link_user_id")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_invite_link")),
        sa.UniqueConstraint("token", name=op.f("uq_invite_link_token")),
    )
    op.create_table(
        "invitation",
        sa.Column("friend_id", sa.BigInteger(), nullable=False),
        sa.Column("inviter_id", sa.BigInteger(), nullable=False),
        sa.Column("invited_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("purchases", sa.Integer(), nullable=False),
        sa.CheckConstraint("friend_id <> inviter_id", name=op.f("ck_invitation_not_oneself")),
        sa.CheckConstraint("purchases >= 0", name=op.f("ck_invitation_purchases_not_negative")),
        sa.ForeignKeyConstraint(["friend_id"], ["user_account.id"], name=op.f("fk_invitation_friend_id")),
        sa.ForeignKeyConstraint(["inviter_id"], ["user_account.id"], name=op.f("fk_invitation_inviter_id")),
        sa.PrimaryKeyConstraint("friend_id", name=op.f("pk_invitation")),
    )
    op.create_index(op.f("ix_invitation_inviter_id"), "invitation", ["inviter_id"])


def downgrade() -> None:
    for table in ("invitation", "invite_link", "wrong_guess", "redemption", "voucher"):
        op.drop_table(table)
