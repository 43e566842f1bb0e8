"""rules for prices, and what is not sold"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "pricing_rule",
        *_scope(),
        sa.Column("markup", sa.Integer(), nullable=False),
        sa.Column("fixed", sa.BigInteger(), nullable=False),
        sa.Column("minimum", sa.BigInteger(), nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("below_cost", sa.Boolean(), nullable=False),
        sa.Column("updated_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.CheckConstraint("markup >= -10000", name=op.f("ck_pricing_rule_markup_leaves_a_price")),
        sa.CheckConstraint("fixed >= 0", name=op.f("ck_pricing_rule_fixed_not_negative")),
        sa.CheckConstraint("minimum >= 0", name=op.f("ck_pricing_rule_minimum_not_negative")),
        sa.CheckConstraint("step > 0", name=op.f("ck_pricing_rule_step_positive")),
        sa.PrimaryKeyConstraint("supplier", "service_id", "country", name=op.f("pk_pricing_rule")),
    )
    op.create_table(
        "pause",
        *_scope(),
        sa.Column("until", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.Column("since", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.CheckConstraint(
            "supplier <> '' OR service_id <> 0 OR country <> ''", name=op.f("ck_pause_about_something")
        ),
        sa.PrimaryKeyConstraint("supplier", "service_id", "country", name=op.f("pk_pause")),
    )


def downgrade() -> None:
    op.drop_table("pause")
    op.drop_table("pricing_rule")


def _scope() -> list[sa.Column[str] | sa.Column[int]]:
    return [
        sa.Column("supplier", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("service_id", sa.Integer(), nullable=False),
        sa.Column("country", sqlmodel.sql.sqltypes.AutoString(length=2), nullable=False),
    ]
