"""Other services over gRPC."""

from xget_scraper.adapters.grpc.items import GrpcItems
from xget_scraper.adapters.grpc.pools import GrpcPools, GrpcSessions

__all__ = ["GrpcItems", "GrpcPools", "GrpcSessions"]
