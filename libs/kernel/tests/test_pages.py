import pytest
from hypothesis import given
from hypothesis import strategies as st

from xget_kernel.errors import Invalid
from xget_kernel.pages import PageQuery, decode_cursor, encode_cursor

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=20), inner, max_size=4),
    max_leaves=10,
)


@given(json_values)
def test_a_cursor_gives_back_what_went_in_and_fits_into_a_url(value):
    text = encode_cursor(value)
    assert decode_cursor(text) == value
    assert text.isascii()
    assert not set(text) & set("+/=&? ")


@given(st.text(max_size=80))
def test_any_text_is_a_cursor_or_a_clear_error(text):
    try:
        decode_cursor(text)
    except Invalid as error:
        assert error.errors[0].field == "cursor"  # noqa: PT017 - most texts are refused, a few are cursors


@pytest.mark.parametrize("text", ["", "###", "ü", "e30\n", "a" * 5000, "W" * 4096, "eyJ4Ijo"])
def test_a_foreign_cursor_is_refused_with_the_way_out(text):
    with pytest.raises(Invalid, match="next_cursor"):
        decode_cursor(text)


def test_a_page_query_knows_its_rows():
    query = PageQuery(page=3, size=20)
    assert (query.offset, query.limit) == (40, 20)
    assert [query.pages(total) for total in (0, 1, 20, 21)] == [0, 1, 1, 2]
