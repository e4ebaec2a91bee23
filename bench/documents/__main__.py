"""`python -m bench.documents`."""

from __future__ import annotations

import sys

from bench.documents import measure
from bench.table import report

sys.exit(report(measure()))
