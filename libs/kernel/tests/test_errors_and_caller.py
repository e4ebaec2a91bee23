import pytest

from xget_kernel import errors
from xget_kernel.caller import LOCAL_ADMIN, Caller


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (errors.BadRequest, 400),
        (errors.Unauthenticated, 401),
        (errors.Forbidden, 403),
        (errors.NotFound, 404),
        (errors.Conflict, 409),
        (errors.PreconditionFailed, 412),
        (errors.TooLarge, 413),
        (errors.Invalid, 422),
        (errors.TooMany, 429),
        (errors.Unavailable, 503),
        (errors.Full, 507),
    ],
)
def test_an_error_carries_its_status_and_the_sentence(kind, status):
    error = kind("Do this.", errors=[errors.FieldError("a.b", "maximum", "Too much.")], headers={"X": "y"})
    assert error.status == status
    assert error.detail == str(error) == "Do this."
    assert error.errors[0].field == "a.b"
    assert error.headers["X"] == "y"


def test_codes_tell_the_kinds_apart():
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.XGetError)]
    assert len({kind.code for kind in kinds}) == len(kinds)


def test_too_many_says_when_to_come_back():
    error = errors.TooMany("Slower.", retry_after=7)
    assert error.retry_after == 7
    assert error.headers["Retry-After"] == "7"


def test_an_admin_sees_all_rows_and_others_their_own():
    analyst = Caller("u1", frozenset({"analyst"}), "token")
    assert LOCAL_ADMIN.owner_filter is None
    assert analyst.owner_filter == "u1"


def test_a_role_of_the_list_is_enough_and_an_admin_needs_none():
    Caller("u1", frozenset({"analyst"}), "token").require("operator", "analyst")
    LOCAL_ADMIN.require("operator")


def test_without_the_role_the_sentence_names_it():
    with pytest.raises(errors.Forbidden, match="analyst or operator"):
        Caller("u1", frozenset({"viewer"}), "token").require("operator", "analyst")


def test_require_without_roles_means_admins_only():
    with pytest.raises(errors.Forbidden):
        Caller("u1", frozenset({"viewer"}), "token").require()
