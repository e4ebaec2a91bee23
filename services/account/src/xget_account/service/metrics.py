"""What the pool counts."""

from __future__ import annotations

from xget_telemetry.metrics import Spec

LEASES = Spec("xget_account_acquires_total", "Wishes for an account, by what became of them.", ("outcome",))
VERDICTS = Spec("xget_account_verdicts_total", "Answers of platforms, by what the playbook made of them.", ("verdict",))
