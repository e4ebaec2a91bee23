from datetime import UTC, datetime, timedelta

from xget_db.inbox import forget, seen


async def test_a_message_is_new_once_for_each_consumer(db):
    async with db.transaction() as session:
        assert not await seen(session, "indexer", "m1")
        assert await seen(session, "indexer", "m1")
        assert not await seen(session, "counter", "m1")
    async with db.transaction() as session:
        assert await seen(session, "indexer", "m1")


async def test_a_rolled_back_handling_may_be_tried_again(db):
    async with db.sessions() as session:
        assert not await seen(session, "indexer", "m1")
        await session.rollback()
    async with db.transaction() as session:
        assert not await seen(session, "indexer", "m1")


async def test_old_messages_are_forgotten(db):
    async with db.transaction() as session:
        await seen(session, "indexer", "m1")
        assert await forget(session, datetime.now(UTC) - timedelta(hours=1)) == 0
        assert await forget(session, datetime.now(UTC) + timedelta(hours=1)) == 1
        assert not await seen(session, "indexer", "m1")
