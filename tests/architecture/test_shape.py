"""The tree keeps its shape: caps, rooms and folder lists. What import-linter cannot see is seen here."""

import ast
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
GENERATED = ROOT / "libs" / "contracts" / "src" / "xget"
FILE_CAP, FUNCTION_CAP, TEST_FILE_CAP, CONFTEST_CAP = 250, 60, 400, 120
GROUPS = ("libs", "services", "apps", "scripts", "tests", "bench")


def python_files() -> list[Path]:
    found = [path for group in GROUPS for path in (ROOT / group).rglob("*.py")]
    return [p for p in found if GENERATED not in p.parents and ".venv" not in p.parts and "versions" not in p.parts]


def members() -> set[str]:
    return {f"{p.parent.parent.name}/{p.parent.name}" for g in GROUPS[:3] for p in (ROOT / g).glob("*/pyproject.toml")}


def cap_of(path: Path) -> int:
    if path.name == "conftest.py":
        return CONFTEST_CAP
    return TEST_FILE_CAP if "tests" in path.parts else FILE_CAP


def test_no_file_is_longer_than_its_cap() -> None:
    lengths = {str(p.relative_to(ROOT)): len(p.read_text("utf-8").splitlines()) for p in python_files()}
    over = {name: n for name, n in lengths.items() if n > cap_of(ROOT / name)}
    assert not over, f"A file that meets its cap becomes a package of the same name: {over}"


def test_no_function_is_longer_than_its_cap() -> None:
    over = [
        f"{path.relative_to(ROOT)}:{node.name} ({length})"
        for path in python_files()
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or 0) - node.lineno + 1) > FUNCTION_CAP
    ]
    assert not over, f"Split these functions: {over}"


def test_every_member_has_its_rooms() -> None:
    for member in sorted(members()):
        folder = ROOT / member
        assert (folder / "README.md").exists(), f"{member} has no README.md"
        assert list((folder / "tests").glob("test_*.py")), f"{member} has no tests"
        assert (folder / "src" / f"xget_{folder.name}" / "py.typed").exists(), f"{member} is not typed"


def test_every_member_is_known_to_import_linter() -> None:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    assert set(config["root_packages"]) == {f"xget_{member.split('/')[1]}" for member in members()}


def test_the_gateway_leads_to_every_service_with_an_http_api() -> None:
    declared = yaml.safe_load((ROOT / "gateway" / "kong.yml").read_text("utf-8"))["services"]
    services = {member.split("/")[1] for member in members() if member.startswith("services/")}
    assert {service["name"] for service in declared} == services


def test_no_module_is_called_utils_and_tests_are_no_packages() -> None:
    names = [str(p.relative_to(ROOT)) for p in python_files()]
    assert not [n for n in names if Path(n).stem in {"utils", "common", "helpers", "misc"}]
    assert not [n for n in names if "/tests/" in f"/{n}" and n.endswith("__init__.py")]


@pytest.mark.parametrize("word", [str(ROOT), f"{Path.home()}/", "pypi" + ".org", "registry.npmjs" + ".org"])
def test_no_file_names_this_machine_or_a_registry(word: str) -> None:
    texts = [
        p for p in ROOT.rglob("*") if p.suffix in {".py", ".md", ".yml", ".yaml", ".toml", ".txt", ".lock", ".json"}
    ]
    ours = [p for p in texts if not ({".venv", ".git", "demo-out", ".xget"} & set(p.relative_to(ROOT).parts))]
    assert not [str(p.relative_to(ROOT)) for p in ours if word in p.read_text("utf-8", "replace")]


def test_dependencies_are_declared_where_they_are_used() -> None:
    """Each member imports only members of ours that its own pyproject names."""
    for member in sorted(members()):
        folder = ROOT / member
        project = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))["project"]
        declared = {d.split("[")[0].split(">")[0].split("=")[0].strip() for d in project["dependencies"]}
        used = {
            name.split(".")[0].replace("_", "-")
            for path in (folder / "src").rglob("*.py")
            for node in ast.walk(ast.parse(path.read_text("utf-8")))
            for name in _imported(node)
            if name.startswith(("xget_", "xget."))
        }
        used = {"xget-contracts" if name == "xget" else name for name in used} - {f"xget-{folder.name}"}
        assert used <= declared, f"{member} uses {sorted(used - declared)} without declaring it"


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) and node.module and not node.level else []
