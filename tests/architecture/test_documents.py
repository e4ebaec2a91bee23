"""Documents name only what is there: links lead somewhere, settings and commands exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SKIP = {".venv", ".git", "node_modules", "demo-out", ".xget"}
DOCUMENTS = [p for p in sorted(ROOT.rglob("*.md")) if not SKIP & set(p.relative_to(ROOT).parts)]
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    targets = [link for link in LINK.findall(document.read_text("utf-8")) if "://" not in link]
    missing = [target for target in targets if not (document.parent / target).exists()]
    assert not missing


def test_every_setting_in_a_table_is_read_somewhere() -> None:
    code = "\n".join(
        p.read_text("utf-8") for g in ("libs", "services", "apps", "scripts") for p in (ROOT / g).rglob("*.py")
    )
    named = {
        (str(document.relative_to(ROOT)), setting)
        for document in DOCUMENTS
        for line in document.read_text("utf-8").splitlines()
        if line.startswith("|")
        for setting in re.findall(r"`(XGET_[A-Z_]+)`", line)
    }
    fields = set(re.findall(r"^    ([a-z_]+): ", code, flags=re.M))
    unread = [(d, s) for d, s in named if s not in code and s.removeprefix("XGET_").lower() not in fields]
    assert not unread


def test_every_target_that_a_document_names_is_in_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), flags=re.M))
    named = {t for d in DOCUMENTS for t in re.findall(r"`make ([a-z-]+)`", d.read_text("utf-8"))}
    assert named <= targets
