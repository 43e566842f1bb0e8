"""how orders went, for the odds"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

STRING = sqlmodel.sql.sqltypes.AutoString


def upgrade() -> None:
    op.create_table(
        "outcome",
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("service_id", sa.Integer(), nullable=False),
        sa.Column("country", STRING(length=2), nullable=False),
        sa.Column("supplier", STRING(length=32), nullable=False),
        sa.Column("network", STRING(length=64), nullable=False),
        sa.Column("bucket", sa.Integer(), nullable=False),
        sa.Column("orders", sa.Integer(), nullable=False),
        sa.CheckConstraint("orders > 0", name=op.f("ck_outcome_orders_positive")),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_outcome_service_id")),
        sa.PrimaryKeyConstraint(
            "day", "service_id", "country", "supplier", "network", "bucket", name=op.f("pk_outcome")
        ),
    )


def downgrade() -> None:
    op.drop_table("outcome")
