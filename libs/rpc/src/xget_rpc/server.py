"""A gRPC server for internal services."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import grpc.aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from xget_kernel.errors import StartupError
from xget_kernel.secrets import Secret
from xget_rpc.hiding import hide_messages
from xget_rpc.interceptor import Guard
from xget_telemetry import tracing

AddServicer = Callable[[Any, Any], None]


class RpcServer:
    """Health, reflection, the internal token and error mapping around any servicers.

    `host` is an address (`127.0.0.1`), `port` 0 takes a free one. Messages up to `max_message_mb` either way.
    """

    def __init__(self, host: str, port: int, internal_token: Secret | str, *, max_message_mb: int = 64) -> None:
        self._host, self._port = host, port
        self._address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        size = max_message_mb * 1024 * 1024
        options = [
            ("grpc.max_receive_message_length", size),
            ("grpc.max_send_message_length", size),
            ("grpc.so_reuseport", 0),
        ]
        token = internal_token if isinstance(internal_token, Secret) else Secret(internal_token)
        self._server = grpc.aio.server(interceptors=[Guard(token, tracing.current())], options=options)
        self._health = health.aio.HealthServicer()  # type: ignore[attr-defined]  # the stubs lack it
        self._names = [reflection.SERVICE_NAME, health.SERVICE_NAME]

    def add(self, add_servicer: AddServicer, servicer: object, service_name: str) -> None:
        """Serve a servicer; `add_servicer` is the generated function, `service_name` the full proto name."""
        hide_messages(add_servicer)
        add_servicer(servicer, self._server)
        self._names.append(service_name)

    async def start(self) -> int:
        """Begin to serve and give the bound port. Raises StartupError when it cannot be bound."""
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        reflection.enable_server_reflection(self._names, self._server)
        port = self._bind()
        await self._begin()
        for name in ["", *self._names]:
            await self._health.set(name, health_pb2.HealthCheckResponse.SERVING)
        return port

    async def stop(self, grace: float = 2.0) -> None:
        """Refuse new calls, let running ones finish within `grace` seconds."""
        await self._health.enter_graceful_shutdown()
        await self._server.stop(grace)

    async def _begin(self) -> None:
        # gRPC cannot be cancelled half started: it would complain later, and hold the port until then.
        starting = asyncio.ensure_future(self._server.start())
        try:
            await asyncio.shield(starting)
        except asyncio.CancelledError:
            await starting
            await self._server.stop(None)
            raise

    def _bind(self) -> int:
        try:
            # gRPC writes lines of its own when it cannot bind: ask the system first.
            socket.create_server((self._host, self._port), family=_family(self._host)).close()
            port: int = self._server.add_insecure_port(self._address)
        except (OSError, RuntimeError) as error:
            raise self._refusal() from error
        if port == 0:
            raise self._refusal()
        return port

    def _refusal(self) -> StartupError:
        return StartupError(
            f"The gRPC address {self._address} is in use or not of this machine: stop what uses it, "
            "or move all ports with --port-base."
        )


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
