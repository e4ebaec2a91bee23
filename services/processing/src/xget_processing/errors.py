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


class ParserNotFound(NotFound):
    """No page of this parser was ever read."""

    code = "parser_not_found"
    title = "No such parser"

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no parser {name[:200]!r}: `xget parsers list` shows those that there are.")


class ParserNotFrozen(Conflict):
    """The parser reads, or begins to."""

    code = "parser_not_frozen"
    title = "Parser is not frozen"

    def __init__(self, name: str) -> None:
        super().__init__(f"The parser {name!r} is not frozen: nothing keeps it from reading.")
