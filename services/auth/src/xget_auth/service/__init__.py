"""Use cases of the auth service."""

from xget_auth.service.directory import DirectoryService
from xget_auth.service.keys import KeyService
from xget_auth.service.registration import RegistrationService
from xget_auth.service.sessions import SessionService
from xget_auth.service.throttle import Throttle

__all__ = ["DirectoryService", "KeyService", "RegistrationService", "SessionService", "Throttle"]
