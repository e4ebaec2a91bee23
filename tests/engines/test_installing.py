"""What is installed is pinned, checked, and found on machines of many kinds."""

import hashlib
import re
from pathlib import Path

import pytest
from engines import install, java, versions
from engines.errors import EngineError
from engines.kinds import KINDS
from engines.kinds.postgres import attached
from engines.places import open_to_all, set_folder
from engines.servers import masked

from xget_testing.engines import ENGINES


def test_tests_and_engines_use_the_same_names() -> None:
    assert tuple(name for name, kind in KINDS.items() if not kind.on_demand) == ENGINES


@pytest.mark.parametrize("name", versions.PYPI)
def test_each_lock_pins_the_version_by_hash(name: str) -> None:
    lock = (install.LOCKS / f"{name}.txt").read_text("utf-8")
    assert re.search(rf"^{re.escape(versions.PYPI[name])} \\$", lock, flags=re.M)
    pins = re.findall(r"^[a-z0-9-]+==.*?(?=^[a-z0-9-]+==|\Z)", lock, flags=re.M | re.S)
    assert all("--hash=sha256:" in pin for pin in pins)


def test_the_files_of_maven_are_known_by_hash() -> None:
    assert f"kafka_2.13-{versions.KAFKA}.jar\n" in (install.LOCKS / "kafka.sha256").read_text("utf-8")
    assert f"elasticsearch-{versions.ELASTICSEARCH}.zip\n" in (install.LOCKS / "elasticsearch.sha256").read_text(
        "utf-8"
    )


@pytest.mark.parametrize("change", ["none", "altered", "missing", "added"])
def test_files_are_taken_only_when_they_are_exactly_those_of_the_lock(tmp_path: Path, change: str) -> None:
    folder, lock = tmp_path / "files", tmp_path / "files.sha256"
    folder.mkdir()
    (folder / "a.jar").write_bytes(b"a")
    lock.write_text(f"{hashlib.sha256(b'a').hexdigest()}  a.jar\n")
    if change == "none":
        install.check_hashes(folder, lock)
        return
    if change == "missing":
        (folder / "a.jar").unlink()
    else:
        (folder / ("a.jar" if change == "altered" else "b.jar")).write_bytes(b"b")
    with pytest.raises(EngineError, match=r"[ab]\.jar"):
        install.check_hashes(folder, lock)


def test_half_a_download_is_never_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(install, "cache", lambda: tmp_path)

    def broken(folder: Path) -> None:
        (folder / "half").touch()
        raise EngineError("the line was cut")

    with pytest.raises(EngineError, match="cut"):
        install.installed("thing", broken, lock="thing")
    assert [p.name for p in (tmp_path / "installed").iterdir()] == ["thing.lock"]
    assert (
        install.installed("thing", lambda folder: (folder / "whole").touch(), lock="thing").joinpath("whole").exists()
    )


def test_without_maven_one_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(EngineError, match="apt-get install maven"):
        install.maven()


@pytest.mark.parametrize(("said", "major"), [('JAVA_VERSION="21.0.8"', 21), ('JAVA_VERSION="25"', 25), ("", 0)])
def test_a_java_runtime_says_its_version(tmp_path: Path, said: str, major: int) -> None:
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "java"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    (tmp_path / "release").write_text(said)
    assert java.version(tmp_path) == major


def test_the_oldest_java_that_is_new_enough_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = {17: tmp_path / "a", 25: tmp_path / "b", 21: tmp_path / "c"}
    monkeypatch.setattr(java, "candidates", lambda: list(found.values()))
    monkeypatch.setattr(java, "version", lambda folder: next(v for v, f in found.items() if f == folder))
    monkeypatch.setattr(java, "modules", lambda folder: {"java.base", java.NEEDED})
    assert java.home_for_elasticsearch() == found[21]
    assert java.home_for_kafka() == found[17]


def test_without_a_whole_java_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(java, "candidates", lambda: [tmp_path])
    monkeypatch.setattr(java, "version", lambda folder: 21)
    monkeypatch.setattr(java, "modules", lambda folder: {"java.base"})
    with pytest.raises(EngineError, match="apt-get install openjdk-21"):
        java.home_for_elasticsearch()


@pytest.mark.parametrize("name", ["", "..", "../other", "a/b", "-x", "x" * 80])
def test_a_set_has_a_plain_name(name: str) -> None:
    with pytest.raises(EngineError, match="name for a set"):
        set_folder(name)


def test_a_folder_below_a_closed_one_is_not_open(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    (closed / "inside").mkdir(parents=True)
    closed.chmod(0o700)
    assert not open_to_all(closed / "inside")


def test_passwords_are_not_shown() -> None:
    assert masked("postgresql://xget:secret@127.0.0.1:1/xget") == "postgresql://xget:****@127.0.0.1:1/xget"
    assert masked("127.0.0.1:9092") == "127.0.0.1:9092"


@pytest.mark.parametrize("lock", ["", "1\n2\n", "1\n/data\n3\n4\n\n127.0.0.1\n 1  999999999\nready\n"])
def test_shared_memory_that_nobody_holds_is_free(lock: str) -> None:
    assert not attached(lock)
