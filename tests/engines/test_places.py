"""Where sets of engines and tests write."""

from pathlib import Path

import in_memory
import pytest
from engines.places import set_folder, set_names


def test_sets_run_where_they_are_told_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XGET_ENGINES_RUN", str(tmp_path / "elsewhere"))
    assert set_folder("one") == tmp_path / "elsewhere" / "one"
    set_folder("one").mkdir()
    assert set_names() == ["one"]


def test_tests_write_in_memory_where_there_is_room_and_leave_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(in_memory, "MEMORY", tmp_path)
    monkeypatch.setattr(in_memory, "ROOM", 1)
    killed = tmp_path / f"{in_memory.PREFIX}{2**30}"
    killed.mkdir()
    with in_memory.folder() as place:
        assert place is not None
        assert list(tmp_path.iterdir()) == [place]
        (place / "written").touch()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("place", "room"), [("", 2**60), ("absent", 1)])
def test_without_room_they_write_where_others_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, room: int
) -> None:
    monkeypatch.setattr(in_memory, "MEMORY", tmp_path / place)
    monkeypatch.setattr(in_memory, "ROOM", room)
    with in_memory.folder() as found:
        assert found is None
