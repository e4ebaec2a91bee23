"""Playbook files: bad ones are refused in one line with the rule, good ones come into force without a restart."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from xget_account.app import create_app
from xget_account.service.playbook import Answer, BadPlaybook, Book, packaged, parse
from xget_account.service.playbook.watching import LOOK_SECONDS
from xget_account.settings import Settings
from xget_kernel.clock import ManualClock
from xget_kernel.errors import StartupError
from xget_testing.apps import running
from xget_testing.tokens import TokenMaker

NOW = datetime(2026, 11, 22, tzinfo=UTC)
GOOD = """
version: 1
name: mine
rules:
  - name: calm
    when: {codes: [88]}
    action: rest
    rest: 2h
otherwise: {action: rest, rest: 5m, all: true}
"""


def limited() -> Answer:
    return Answer(operation="S", status=200, error_codes=frozenset({88}))


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("version: 1", "version: 2", "p.yaml:2: version 2 is not known"),
        ("version: 1", "", "p.yaml:3: `version` is missing"),
        ("action: rest\n    rest", "action: sleep\n    rest", "p.yaml:7: rule 'calm': 'sleep' is no action"),
        ("rest: 2h", "rest: 2 hours", "p.yaml:8: rule 'calm': '2 hours' is no rest"),
        ("rest: 2h", "rest: 25h", "p.yaml:8: rule 'calm': '25h' is no rest: write 30s, 15m or 2h, at most 24h"),
        ("    rest: 2h\n", "", "p.yaml:5: rule 'calm': the action rest needs `rest`, such as 15m"),
        ("codes: [88]", "codes: []", "p.yaml:6: rule 'calm': `codes` has to be a list of numbers"),
        ("codes: [88]", "codes: [many]", "p.yaml:6: rule 'calm': `codes` has to be a list of numbers"),
        ("codes: [88]", "", "p.yaml:6: rule 'calm': `when` names no condition"),
        ("codes: [88]", "kinds: [pdf]", "p.yaml:6: rule 'calm': 'pdf' is no kind of body"),
        ("codes: [88]", "statuses: [900]", "p.yaml:6: rule 'calm': 900 is no HTTP status"),
        ("codes: [88]", "code: [88]", "p.yaml:6: rule 'calm': 'code' is not known"),
        ("    action: rest", "    state: SUSPENDED\n    action: rest", "the action rest leaves the state as it is"),
        ("action: rest\n    rest: 2h", "action: relogin", "the action relogin needs `state` NEEDS_LOGIN"),
        ("{action: rest, rest: 5m", "{action: go_on, rest: 5m", "otherwise: an answer that nobody knows has to make"),
        ("name: calm", "name: Calm!", "a name has 1 to 64 of a-z, 0-9 and _"),
        ("action: rest\n", "action: rest\n    route: post\n", "'post' is no route: write one of x_session, x_api"),
        ("codes: [88]", 'kinds: ["problem:no spaces"]', "'problem:no spaces' is no kind of body"),
        ("rules:", "rules: [", "this is not YAML"),
        (GOOD, "[]", "p.yaml:1: expected a mapping with version"),
        (GOOD, "", "p.yaml:1: expected a mapping with version"),
        (GOOD, "x" * 300_000, "a playbook has at most 256 KB"),
    ],
)
def test_a_bad_file_is_refused_with_its_line_and_rule(old: str, new: str, sentence: str) -> None:
    with pytest.raises(BadPlaybook) as refused:
        parse(GOOD.replace(old, new), "p.yaml")
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)


def test_json_is_read_too() -> None:
    rules = '[{"name": "a", "when": {"statuses": [0]}, "action": "retry"}]'
    text = f'{{"version": 1, "rules": {rules}, "otherwise": {{"action": "rest", "rest": "1m"}}}}'
    assert parse(text, "p.json").decide(Answer(operation="S", status=0), NOW).action == "retry"


def test_a_file_without_rules_for_a_route_keeps_the_packaged_ones_and_says_so() -> None:
    old = parse(GOOD, "p.yaml")
    denied = Answer(operation="S", status=401, body_kind="problem")
    assert old.decide(denied, NOW, "x_api").rule.name == "api_token_refused"
    assert old.decide(denied, NOW).unknown
    assert old.note == "It has no rule for the route x_api: the packaged rules are in force for it."
    assert packaged().note == ""


def test_rules_of_a_route_decide_its_answers_only() -> None:
    rule = "  - {name: api, route: x_api, when: {codes: [88]}, action: rest, until_month: true}\notherwise"
    mine = parse(GOOD.replace("otherwise", rule), "p.yaml")
    assert mine.decide(limited(), NOW).rule.name == "calm"
    decision = mine.decide(limited(), NOW, "x_api")
    assert (decision.rule.name, decision.rest_until) == ("api", datetime(2026, 12, 1, tzinfo=UTC))
    assert mine.note == ""


def test_a_new_file_comes_into_force_and_a_bad_one_does_not(tmp_path: Path) -> None:
    path, clock = tmp_path / "playbook.yaml", ManualClock()
    path.write_text(GOOD)
    book = Book(clock, path)
    assert book.decide(limited(), NOW).rule.name == "calm"
    before = (book.current.revision, book.since)
    path.write_text(GOOD.replace("2h", "3h "))
    assert book.decide(limited(), NOW).rest_until == NOW.replace(hour=2), "looked at once in a while only"
    clock.advance(3)
    decision = book.decide(limited(), NOW)
    assert decision.rest_until == NOW.replace(hour=3)
    now = (book.current.revision, book.since)
    assert now[0] != before[0], "another text is another revision, though its name stayed"
    assert now[1] > before[1]
    path.write_text(GOOD.replace("2h", "tomorrow"))
    clock.advance(3)
    assert book.decide(limited(), NOW).rest_until == NOW.replace(hour=3)
    assert "playbook.yaml:8: rule 'calm': 'tomorrow' is no rest" in book.trouble
    assert (book.current.revision, book.since) == now
    path.unlink()
    clock.advance(3)
    assert book.decide(limited(), NOW).rest_until == NOW.replace(hour=3)
    assert "cannot be read" in book.trouble


def test_a_service_does_not_start_with_a_bad_file(tmp_path: Path) -> None:
    path = tmp_path / "playbook.yaml"
    path.write_text("rules: 5")
    with pytest.raises(StartupError, match=r"XGET_PLAYBOOK: playbook\.yaml:1"):
        Book(ManualClock(), path)


def test_every_rule_of_the_packaged_playbook_can_decide() -> None:
    """No rule stands behind one that takes all its answers: each decides some answer made from its own conditions."""
    book = packaged()
    for rule in book.rules:
        answers = [
            Answer(
                operation="S",
                status=status,
                error_codes=frozenset({code} if code else ()),
                body_kind=kind,
                has_data=bool(rule.data),
                remaining={True: 5, False: 0, None: -1}[rule.room],
            )
            for status in (
                [one for span in rule.statuses for one in (span.start, span.stop - 1)] if rule.statuses else (400, 200)
            )
            for code in (rule.codes or (0,))
            for kind in (rule.kinds or ("json",))
        ]
        assert any(book.decide(one, NOW, rule.route).rule is rule for one in answers), rule.name


async def test_readyz_tells_that_a_newer_file_is_not_in_force(
    settings: Settings, clock: ManualClock, tokens: TokenMaker, tmp_path: Path
) -> None:
    path = tmp_path / "playbook.yaml"
    path.write_text(GOOD, "utf-8")
    app = create_app(settings.model_copy(update={"playbook": path}), clock=clock, verifier=tokens.verifier())
    async with running(app, token=tokens.make("ada", ["operator"])) as client:
        assert "playbook" not in (await client.get("/readyz")).text
        path.write_text(GOOD.replace("rest: 2h", "rest: tomorrow"), "utf-8")
        clock.advance(LOOK_SECONDS)
        (told,) = [one for one in (await client.get("/readyz")).json()["degraded"] if "playbook" in one]
        assert told.startswith("The playbook's file is not in force: ")
        assert "playbook.yaml:8: rule 'calm': 'tomorrow' is no rest" in told
        path.write_text(GOOD, "utf-8")
        clock.advance(LOOK_SECONDS)
        assert "playbook" not in (await client.get("/readyz")).text
