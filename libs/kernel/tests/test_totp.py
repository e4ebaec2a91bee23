"""One-time passwords as RFC 6238 has them, and secrets as people write them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from xget_kernel.totp import code, read_secret

RFC = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"


@pytest.mark.parametrize(
    ("second", "digits"), [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")]
)
def test_the_examples_of_the_rfc_come_out(second: int, digits: str) -> None:
    assert code(RFC, datetime.fromtimestamp(second, UTC)) == digits


@pytest.mark.parametrize(
    "text", ["jbsw y3dp ehpk 3pxp", "JBSW-Y3DP-EHPK-3PXP", "otpauth://totp/X:a?secret=JBSWY3DPEHPK3PXP&issuer=X"]
)
def test_secrets_are_taken_as_people_write_them(text: str) -> None:
    assert read_secret(text) == "JBSWY3DPEHPK3PXP"


@pytest.mark.parametrize("text", ["", "123456", "not a secret!", "JBSW", "otpauth://totp/X", "A1B8C9D0A1B8C9D0"])
def test_what_is_no_secret_is_one_sentence_that_does_not_repeat_it(text: str) -> None:
    with pytest.raises(ValueError, match="TOTP secret: give") as refused:
        read_secret(text)
    assert not text or text not in str(refused.value)
