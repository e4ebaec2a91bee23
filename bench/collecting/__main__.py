"""`python -m bench.collecting`."""

from __future__ import annotations

import sys

from bench.collecting import measure
from bench.table import report

sys.exit(report(measure()))
