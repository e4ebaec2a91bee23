"""Reads account files of any known shape. Pure: text in, records and refusals out; nothing raises for bad data."""

from xget_account.service.importing.found import FIELDS, Found, Refused
from xget_account.service.importing.recognise import Reading, read

__all__ = ["FIELDS", "Found", "Reading", "Refused", "read"]
