"""UserDirectory over gRPC."""

from __future__ import annotations

import grpc

from xget.auth.v1 import user_directory_pb2 as pb
from xget.auth.v1.user_directory_pb2_grpc import UserDirectoryServicer
from xget_auth.errors import TooManyIds
from xget_auth.service.directory import MOST_IDS, DirectoryService

SERVICE_NAME = "xget.auth.v1.UserDirectory"

Context = grpc.aio.ServicerContext[object, object]


class UserDirectory(UserDirectoryServicer):
    """Translates messages; errors of the service become status codes in the server."""

    def __init__(self, directory: DirectoryService) -> None:
        self._directory = directory

    async def Describe(self, request: pb.DescribeRequest, context: Context) -> pb.DescribeResponse:
        """Name users."""
        if len(request.user_ids) > MOST_IDS:
            raise TooManyIds(MOST_IDS)
        found = await self._directory.find([*request.user_ids])
        return pb.DescribeResponse(users=[pb.User(user_id=user.id, username=user.username) for user in found])
