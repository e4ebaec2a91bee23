"""Calls as spans, on both sides and over the wire."""

from collections.abc import AsyncIterator

import pytest

from xget.storage.v1 import item_reader_pb2 as pb
from xget.storage.v1 import item_reader_pb2_grpc as pb_grpc
from xget_kernel import errors
from xget_rpc.client import RpcChannel
from xget_rpc.server import RpcServer
from xget_telemetry import tracing
from xget_testing.otlp import OtlpReceiver, otlp_receiver

TOKEN = "a-token-between-services"


class Reader(pb_grpc.ItemReaderServicer):
    """Streams two batches; has no list."""

    async def List(self, request: pb.ListRequest, context: object) -> pb.ListResponse:  # noqa: N802 - the proto's name
        with tracing.span("looking"):
            raise errors.NotFound("There is no such task.")

    async def Stream(self, request: pb.StreamRequest, context: object) -> AsyncIterator[pb.StreamResponse]:  # noqa: N802 - as above
        for _ in range(2):
            yield pb.StreamResponse(items=[b"{}"])


@pytest.fixture
def receiver(monkeypatch):
    with otlp_receiver() as found:
        for name, value in found.env.items():
            monkeypatch.setenv(name, value)
        yield found


async def calls(*, traced: bool) -> None:
    """One call that is refused and one that streams, from the service `asking` to the service `reading`."""
    with tracing.of("reading").acting():
        server = RpcServer("127.0.0.1", 0, TOKEN)
        server.add(pb_grpc.add_ItemReaderServicer_to_server, Reader(), "xget.storage.v1.ItemReader")
        port = await server.start()
    with tracing.of("asking").acting():
        channel = RpcChannel(f"127.0.0.1:{port}", TOKEN)
        with tracing.span("work", parent=""):
            assert (tracing.traceparent() is not None) == traced
            with pytest.raises(errors.NotFound):
                await channel.stub(pb_grpc.ItemReaderStub).List(pb.ListRequest())
            stream = channel.stub(pb_grpc.ItemReaderStub).Stream(pb.StreamRequest())
            assert len([batch async for batch in stream]) == 2
    await channel.close()
    await server.stop(0)


async def test_a_call_is_a_span_on_both_sides_of_one_trace(receiver: OtlpReceiver) -> None:
    with tracing.configured():
        await calls(traced=True)
    spans = {(span.service, span.name.rpartition("/")[2]): span for span in receiver.spans}
    work = spans["asking", "work"]
    for method in ("List", "Stream"):
        asked, served = spans["asking", method], spans["reading", method]
        assert (asked.kind, served.kind) == ("client", "server")
        assert (asked.parent_id, served.parent_id) == (work.span_id, asked.span_id)
        assert asked.attributes["rpc.service"] == "xget.storage.v1.ItemReader"
    assert spans["reading", "looking"].parent_id == spans["reading", "List"].span_id
    assert {span.trace_id for span in receiver.spans} == {work.trace_id}
    assert spans["reading", "List"].attributes["error.type"] == "NotFound"
    assert not [span for span in receiver.spans if span.failed]
    assert TOKEN.encode() not in b"".join(receiver.bodies)


async def test_without_tracing_calls_go_as_before() -> None:
    await calls(traced=False)
