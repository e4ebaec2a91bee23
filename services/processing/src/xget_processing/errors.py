"""What the processing service says no with."""

from xget_kernel.errors import Conflict, NotFound


class RecordNotFound(NotFound):
    """Missing and foreign records are one and the same."""

    code = "quarantine_record_not_found"
    title = "No such record in quarantine"

    def __init__(self, record_id: str) -> None:
        super().__init__(f"There is no record {record_id[:128]!r} in your quarantine.")


class RecordClosed(Conflict):
    """The record was replayed or dismissed before."""

    code = "quarantine_record_closed"
    title = "Record is not open"
