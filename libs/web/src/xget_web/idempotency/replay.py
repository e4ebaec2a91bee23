"""A remembered answer on its way out."""

from dataclasses import dataclass

from starlette.responses import Response

REPLAYED = "Idempotency-Replayed"


@dataclass
class Replay(Exception):
    """Raised by the dependency to answer with what the first request got."""

    status: int
    headers: dict[str, str]
    body: bytes

    def response(self) -> Response:
        """The first answer, marked as repeated."""
        return Response(self.body, status_code=self.status, headers={**self.headers, REPLAYED: "true"})
