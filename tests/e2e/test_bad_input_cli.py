"""Wrong input on the command line: one line that says what to do, exit code 2; refused lines of a file, exit code 1."""

import io
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from xget_cli.main import main
from xget_testing.node import XGET, Node, running_node

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:Cyclopts application invoked without tokens"),  # sys.argv is what we mean
]
NOWHERE = "01900000-0000-7000-8000-000000000001"


@dataclass(frozen=True)
class Done:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str


Cli = Callable[..., Done]


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory):
    with running_node(tmp_path_factory.mktemp("node")) as running:
        yield running


@pytest.fixture
def cli(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Done]:
    """Runs `xget` in this process, since starting Python anew is most of a command's time."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XGET_URL", str(node.http.base_url))
    monkeypatch.setenv("XGET_CONFIG_DIR", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str, given: bytes = b"") -> Done:
        monkeypatch.setattr(sys, "argv", ["xget", *arguments])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return Done(int(ended.value.code or 0), said.out, said.err)

    return run


def one_line(done: Done, *words: str) -> None:
    """Exit code 2 and one line on standard error with all of `words`."""
    assert done.code == 2, done
    assert done.err.count("\n") == 1, done.err
    assert done.err.startswith(("xget: ", "sandbox: "))
    assert not done.out
    for word in words:
        assert word in done.err, (word, done.err)


WRONG: list[tuple[tuple[str, ...], tuple[str, ...]]] = [
    (("nonsense",), ("nonsense",)),
    (("tasks", "create", "nonsense", "x"), ("nonsense",)),
    (("tasks", "create", "keyword-search"), ("query",)),
    (("tasks", "create", "keyword-search", "AI", "--limit", "many"), ("limit",)),
    (("tasks", "create", "keyword-search", "AI", "--limit", "0"), ("limit",)),
    (("tasks", "create", "keyword-search", "AI", "--limit", "1000000000"), ("limit", "1000000")),
    (("tasks", "create", "keyword-search", "AI", "--product", "Best"), ("Best",)),
    (("tasks", "create", "keyword-search", "AI", "--since", "yesterday"), ("since", "2026-01-31")),
    (("tasks", "create", "keyword-search", "AI", "--nonsense", "1"), ("nonsense",)),
    (("tasks", "create", "keyword-search", ""), ("query",)),
    (("tasks", "create", "keyword-search", "a\x07b"), ("ontrol characters",)),
    (("tasks", "create", "keyword-search", "x" * 5000), ("query",)),
    (("tasks", "create", "keyword-search", "AI", "--name", "x" * 5000), ("task_name",)),
    (("tasks", "create", "keyword-search", "AI", "--priority", "11"), ("priority",)),
    (("tasks", "create", "keyword-search", "AI", "--account", NOWHERE), ("account",)),
    (("tasks", "create", "keyword-search", "AI", "--proxy", NOWHERE), ("proxy",)),
    (("tasks", "create", "user-tweets", "not a name"), ("username",)),
    (("tasks", "create", "hashtag-search", "two words"), ("hashtag",)),
    (("tasks", "show", NOWHERE), ("no task",)),
    (("tasks", "start", NOWHERE), ("no task",)),
    (("tasks", "stop", NOWHERE), ("no task",)),
    (("tasks", "results", NOWHERE), ("no task",)),
    (("tasks", "show", "../../etc/passwd"), ()),
    (("tasks", "show", "量子\n子"), ()),
    (("tasks", "results", NOWHERE, "--cursor", "nonsense"), ()),
    (("tasks", "list", "--status", "BUSY"), ("BUSY",)),
    (("tasks", "list", "--page", "0"), ("page",)),
    (("tasks", "list", "--size", "1000"), ("size",)),
    (("accounts", "status", NOWHERE), ("account",)),
    (("accounts", "import", "not-there.txt"), ("not-there.txt", "cannot be read")),
    (("accounts", "import", "."), ("cannot be read",)),
    (("proxies", "import", "not-there.txt"), ("not-there.txt",)),
    (("export", NOWHERE, "--format", "jsonl", "-o", "out.jsonl"), ("no task",)),
    (("export", NOWHERE, "--format", "parquet", "-o", "out"), ("parquet",)),
    (("quarantine", "show", NOWHERE), ("quarantine",)),
    (("login",), ()),
    (("login", "nobody-here"), ("password",)),
    (("up", "--port-base", "0"), ("--port-base",)),
    (("up", "--port-base", "70000"), ("--port-base",)),
    (("sandbox", "--faults", "nonsense@1"), ("nonsense",)),
    (("sandbox", "--replay", "not-there"), ("not-there",)),
]


@pytest.mark.parametrize(("command", "words"), WRONG, ids=lambda value: " ".join(value)[:50])
def test_what_is_wrong_is_said_on_one_line(cli: Cli, command: tuple[str, ...], words: tuple[str, ...]) -> None:
    one_line(cli(*command), *words)


def test_a_real_process_says_it_the_same_way(node: Node, tmp_path: Path) -> None:
    env = {**node.env, "XGET_URL": str(node.http.base_url), "XGET_CONFIG_DIR": str(tmp_path)}
    command = [XGET, "tasks", "create", "keyword-search", "AI", "--limit", "0"]
    done = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, timeout=180, check=False)
    one_line(Done(done.returncode, done.stdout, done.stderr), "parameters.limit")


def test_with_json_an_error_is_one_object_that_names_field_and_rule(cli: Cli) -> None:
    commands = (
        ("tasks", "create", "keyword-search", "AI", "--limit", "0", "--json"),
        ("tasks", "show", NOWHERE, "--json"),
        ("accounts", "import", "not-there.txt", "--json"),
        ("nonsense", "--json"),
    )
    ends = [cli(*command) for command in commands]
    assert all(done.code == 2 and not done.err for done in ends)
    found = [json.loads(done.out) for done in ends]
    assert all(one["error"] for one in found)
    wrong = found[0]["problem"]["errors"]
    assert [(one["field"], bool(one["rule"])) for one in wrong] == [("parameters.limit", True)]
    assert found[1]["problem"]["status"] == 404


@pytest.mark.parametrize(("url", "words"), [("http://127.0.0.1:9", ("http://127.0.0.1:9", "xget up")), ("no", ("no",))])
def test_nobody_there_names_the_way_to_start_it(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, url: str, words: tuple[str, ...]
) -> None:
    monkeypatch.setenv("XGET_URL", url)
    one_line(cli("tasks", "list"), *words)


FILES = {
    "no UTF-8": (b"auth_token=\xff\xfe; ct0=b", 1),
    "too large": (b"x" * 1_000_000, 2),
    "empty": (b"", 2),
    "blank lines": (b"\n\n\n", 2),
    "a broken JSON": (b'[{"name": "auth_token", "value":', 1),
    "a JSON of something else": (b'{"hello": [1, 2, 3]}', 1),
    "only one cookie": (b"auth_token=abcdef", 1),
    "lines of nothing": (b"hello\nworld:\n:::::\n", 1),
    "NUL and escapes": (b"us\x00er:pa\x1b[31mss:e@x:y\n", 1),
    "a CSV without names": (b"password,email\nabc,x@y\n", 1),
    "one good and one bad line": (b"good:pw:good@example.org:pw2\nbad\n", 1),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_file_of_accounts_is_taken_or_refused_line_by_line(cli: Cli, tmp_path: Path, kind: str) -> None:
    content, code = FILES[kind]
    path = tmp_path / "accounts.txt"
    path.write_bytes(content)
    done = cli("accounts", "import", str(path))
    if code == 1:
        assert done.code == 1, done
        assert "refused" in done.out
        assert not any(c in done.out for c in "\x00\x07\x1b")
    else:
        one_line(done, "accounts.txt")


def test_a_mixed_file_says_what_became_of_each_line(cli: Cli) -> None:
    text = b"anna:pw:anna@example.org:pw2\nonly-a-name\nbert:pw:bert@example.org:pw2\n"
    done = cli("accounts", "import", "-", "--format", "username:password:email:email_password", "--json", given=text)
    lines = json.loads(done.out)["lines"]
    assert done.code == 1
    assert [(line["line"], line["outcome"]) for line in lines] == [(1, "created"), (2, "refused"), (3, "created")]
    assert lines[1]["reason"]
    one_line(cli("accounts", "import", "-", "--format", "username:nonsense", given=text), "unknown field")


def test_malformed_proxies_are_refused_with_a_reason_each(cli: Cli) -> None:
    lines = [
        b"http://127.0.0.1:3128",
        b"http://127.0.0.1:3128",
        b"ftp://127.0.0.1:21",
        b"127.0.0.1",
        b"127.0.0.1:99999",
        b"127.0.0.1:abc",
        b"http://:@:0",
        b"socks5://u:p@host.example:1080",
        b"ho st:80",
        b"\x07:80",
        "量子:80".encode(),
    ]
    done = cli("proxies", "import", "-", "--json", given=b"\n".join(lines))
    assert done.code == 1
    found = json.loads(done.out)["lines"]
    outcomes = {line["line"]: line["outcome"] for line in found}
    assert [outcomes[n] for n in (1, 2, 8)] == ["created", "duplicate", "created"]
    assert {outcomes[n] for n in (3, 4, 5, 6, 7, 9, 10)} == {"refused"}
    assert all(line["reason"] for line in found if line["outcome"] != "created")
