"""what renters wait for"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sqlmodel.sql.sqltypes.UTCDateTime


def upgrade() -> None:
    op.create_table(
        "lookout",
        sa.Column("id", KEY, nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("service_id", sa.Integer(), nullable=False),
        sa.Column("country", sqlmodel.sql.sqltypes.AutoString(length=2), nullable=False),
        sa.Column("below", sa.BigInteger(), nullable=False),
        sa.Column("created_at", MOMENT(), nullable=False),
        sa.Column("expires_at", MOMENT(), nullable=False),
        sa.CheckConstraint("below > 0", name=op.f("ck_lookout_below_positive")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_lookout_user_id")),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_lookout_service_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lookout")),
        sa.UniqueConstraint(
            "user_id", "service_id", "country", name=op.f("uq_lookout_user_id_service_id_country")
        ),
    )
    op.create_index("ix_lookout_service_id_country_below", "lookout", ["service_id", "country", "below"])
    op.create_index("ix_lookout_expires_at", "lookout", ["expires_at"])


def downgrade() -> None:
    op.drop_table("lookout")
