"""All SQL of the account service."""

from xget_account.repository.accounts import AccountRepository
from xget_account.repository.figures import FigureRepository
from xget_account.repository.leases import Candidate, LeaseRepository, Left, Wish

__all__ = ["AccountRepository", "Candidate", "FigureRepository", "LeaseRepository", "Left", "Wish"]
