from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, Integer, MetaData, Table, create_engine, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import StatementError
from sqlalchemy.orm import Mapped, mapped_column

from xget_db.base import make_base, new_metadata
from xget_db.types import JsonDict, JsonList, UtcDateTime

TABLE = Table(
    "t",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("at", UtcDateTime()),
    Column("facts", JsonDict()),
    Column("tags", JsonList()),
)


@pytest.fixture(scope="module")
def connection():
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        TABLE.create(connection)
        yield connection
    engine.dispose()


def kept(connection, **values):
    row_id = connection.execute(insert(TABLE).values(**values)).inserted_primary_key[0]
    return connection.execute(select(TABLE).where(TABLE.c.id == row_id)).one()


zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
times = st.datetimes(datetime(1971, 1, 1), datetime(9000, 1, 1), timezones=zones)


@given(times)
def test_a_time_comes_back_the_same_in_utc(connection, at):
    back = kept(connection, at=at).at
    assert back == at
    assert back.tzinfo is UTC


@given(times, times)
def test_times_sort_in_the_database_as_they_do_in_python(connection, first, second):
    first_id = connection.execute(insert(TABLE).values(at=first)).inserted_primary_key[0]
    later = connection.execute(select(TABLE.c.id).where(TABLE.c.id == first_id, TABLE.c.at < second)).first()
    assert (later is not None) == (first < second)


def test_a_naive_time_is_refused(connection):
    with pytest.raises(StatementError, match="without a time zone"):
        kept(connection, at=datetime(2026, 1, 1))


@given(st.dictionaries(st.text(), st.integers(-(2**53), 2**53) | st.text() | st.none()), st.lists(st.text()))
def test_json_comes_back_the_same(connection, facts, tags):
    row = kept(connection, facts=facts, tags=tags)
    assert (row.facts, row.tags) == (facts, tags)


def test_none_is_null(connection):
    row = kept(connection, at=None, facts=None)
    assert (row.at, row.facts) == (None, None)
    assert connection.execute(select(TABLE.c.id).where(TABLE.c.id == row.id, TABLE.c.facts.is_(None))).first()


def test_the_types_have_a_name_on_each_database():
    names = [column.type.compile(dialect) for dialect in (sqlite.dialect(), postgresql.dialect()) for column in TABLE.c]
    assert names[1:4] == ["DATETIME", "JSON", "JSON"]
    assert names[5:8] == ["TIMESTAMP WITH TIME ZONE", "JSONB", "JSONB"]


def test_constraints_have_names_that_migrations_can_find():
    metadata = new_metadata()
    table = Table("t", metadata, Column("id", Integer, primary_key=True), Column("n", Integer, unique=True, index=True))
    assert table.primary_key.name == "pk_t"
    assert {index.name for index in table.indexes} == {"ix_t_n"}


def test_a_made_base_maps_python_types_to_portable_columns():
    base = make_base()

    class Thing(base):
        __tablename__ = "things"
        id: Mapped[str] = mapped_column(primary_key=True)
        at: Mapped[datetime]
        tags: Mapped[list[str]]

    assert isinstance(Thing.__table__.c.at.type, UtcDateTime)
    assert isinstance(Thing.__table__.c.tags.type, JsonList)
    assert make_base().metadata is not base.metadata


def test_the_text_of_a_type_makes_the_type_again():
    for kind in (JsonDict, JsonList, UtcDateTime):
        assert isinstance(eval(repr(kind())), kind)  # noqa: S307 - generated migrations are made of this text
