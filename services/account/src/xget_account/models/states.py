"""States of an account."""

from __future__ import annotations

NEW = "NEW"
ACTIVE = "ACTIVE"
NEEDS_LOGIN = "NEEDS_LOGIN"
NEEDS_HUMAN = "NEEDS_HUMAN"
SUSPENDED = "SUSPENDED"
RETIRED = "RETIRED"
RESTING = "RESTING"
"""Not stored: what a healthy account is while it rests."""

HEALTHY = (NEW, ACTIVE)
STORED = (NEW, ACTIVE, NEEDS_LOGIN, NEEDS_HUMAN, SUSPENDED, RETIRED)
