"""What all tables share: how their constraints are named, and keys that count up by themselves."""

from sqlalchemy import BigInteger, Integer, MetaData
from sqlmodel import SQLModel

SQLModel.metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# A plain BigInteger primary key does not count up by itself on SQLite.
BIG_KEY = BigInteger().with_variant(Integer, "sqlite")
