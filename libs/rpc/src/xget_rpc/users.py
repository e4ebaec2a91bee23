"""Who is a user here, as the auth service knows it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from xget.auth.v1.user_directory_pb2 import DescribeRequest
from xget.auth.v1.user_directory_pb2_grpc import UserDirectoryStub
from xget_rpc.client import RpcChannel

DEADLINE_SECONDS: Final = 3.0


class UserDirectory:
    """Asks for users over a channel to the auth service."""

    def __init__(self, channel: RpcChannel) -> None:
        self._users = channel.stub(UserDirectoryStub)

    async def unknown(self, user_ids: Collection[str]) -> set[str]:
        """Those of up to 100 ids that are no user's. Raises XGetError when the auth service does not answer."""
        found = await self._users.Describe(DescribeRequest(user_ids=user_ids), timeout=DEADLINE_SECONDS)
        return {*user_ids} - {user.user_id for user in found.users}
