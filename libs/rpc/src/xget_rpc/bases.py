"""gRPC's interceptor classes are generic in their stubs and plain at run time; this evens that out."""

from typing import TYPE_CHECKING, Any

import grpc.aio

if TYPE_CHECKING:
    ServerInterceptor = grpc.aio.ServerInterceptor[Any, Any]
    UnaryInterceptor = grpc.aio.UnaryUnaryClientInterceptor[Any, Any]
    StreamInterceptor = grpc.aio.UnaryStreamClientInterceptor[Any, Any]
else:
    ServerInterceptor = grpc.aio.ServerInterceptor
    UnaryInterceptor = grpc.aio.UnaryUnaryClientInterceptor
    StreamInterceptor = grpc.aio.UnaryStreamClientInterceptor
