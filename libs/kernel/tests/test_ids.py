import threading
import time
import uuid

from hypothesis import given
from hypothesis import strategies as st

from xget_kernel.ids import is_id, new_id


def test_ids_of_one_process_sort_in_the_order_they_were_made():
    made = [new_id() for _ in range(20_000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_an_id_is_a_uuid_of_version_7_that_carries_the_time_it_was_made():
    before = time.time_ns() // 1_000_000
    parsed = uuid.UUID(new_id())
    after = time.time_ns() // 1_000_000
    assert parsed.version == 7
    assert parsed.variant == uuid.RFC_4122
    assert before <= parsed.int >> 80 <= after + 1


def test_threads_never_get_the_same_id():
    made: list[str] = []
    threads = [threading.Thread(target=lambda: made.extend(new_id() for _ in range(2000))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 16_000


def test_a_clock_that_goes_back_does_not_turn_the_order(monkeypatch):
    first = new_id()
    monkeypatch.setattr(time, "time_ns", lambda: 1_000_000_000)
    assert new_id() > first


def test_what_new_id_makes_is_an_id():
    assert all(is_id(new_id()) for _ in range(1000))


@given(st.uuids(version=4) | st.uuids(version=1))
def test_other_uuids_are_no_ids(other):
    assert not is_id(str(other))


@given(st.text())
def test_is_id_answers_for_any_text(text):
    assert is_id(text) in (True, False)
    assert not is_id(new_id() + text[:1] + "\n")
