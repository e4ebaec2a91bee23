"""What every EventLog must do. An adapter's tests subclass `EventLogContract` and give it a `house` fixture:

class TestSqliteEventLog(EventLogContract):
    @pytest.fixture
    async def house(self, tmp_path):
        house = SqliteHouse(tmp_path)
        yield house
        await house.close()
"""

from xget_testing.contracts.event_log.delivery import DeliveryContract
from xget_testing.contracts.event_log.groups import GroupContract
from xget_testing.contracts.event_log.house import LogHouse, drain, messages
from xget_testing.contracts.event_log.keeping import KeepingContract

__all__ = ["EventLogContract", "LogHouse", "drain", "messages"]


class EventLogContract(DeliveryContract, GroupContract, KeepingContract):
    """The whole suite."""
