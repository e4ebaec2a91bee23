"""A command for each task type, made from its declaration when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from inspect import Parameter as Argument
from inspect import Signature
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from xget_cli.errors import CliError
from xget_cli.files import read_text
from xget_sources.ports import TaskTypeSpec
from xget_sources.x.tasks import TASK_TYPES

Run = Callable[..., int]
"""Takes the task type, its parameters and the other options."""
Extras = Mapping[str, tuple[Any, Any]]
"""Other options by name: annotation and default."""


def command_name(task_type: str) -> str:
    """KEYWORD_SEARCH is `keyword-search`."""
    return task_type.lower().replace("_", "-")


class Command:
    """A task type's command: to whoever looks, a function of the options that the type's declaration names."""

    def __init__(self, spec: TaskTypeSpec, run: Run, extras: Extras) -> None:
        shown = [*_arguments(spec), *(_keyword(name, kind, default) for name, (kind, default) in extras.items())]
        self.__name__ = spec.name.lower()
        self.__doc__ = spec.summary
        self.__signature__ = Signature(shown, return_annotation=int)
        self.__annotations__ = {argument.name: argument.annotation for argument in shown} | {"return": int}
        self._spec, self._run, self._extras = spec, run, extras

    def __call__(self, *words: Any, **options: Any) -> int:
        given = self.__signature__.bind(*words, **options).arguments
        others = {name: given.pop(name) for name in self._extras if name in given}
        return self._run(self._spec, parameters_of(self._spec, given), **others)


def command_of(attribute: str, run: Run, extras: Extras) -> Run:
    """The command of a task type by its name in small letters. Raises AttributeError when there is none."""
    spec = TASK_TYPES.get(attribute.upper())
    if spec is None:
        raise AttributeError(attribute)
    return Command(spec, run, extras)


def parameters_of(spec: TaskTypeSpec, given: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that were given; several of a kind become a list. Raises CliError when nothing is asked for."""
    found = {name: value for name, value in given.items() if value not in (None, [])}
    file: Path | None = found.pop("file", None)
    if file is not None:
        usual = next(iter(spec.subjects))
        lines = [line.strip() for line in read_text(file).splitlines()]
        found[usual] = [*found.get(usual, []), *(line for line in lines if line and not line.startswith("#"))]
    for one, many in spec.subjects.items():
        values = found.get(one)
        if values is not None:
            del found[one]
            found |= {one: values[0]} if len(values) == 1 else {many: values}
    if spec.subjects and not found:
        ways = " or ".join([next(iter(spec.subjects)).upper(), *(f"--{_dashed(one)}" for one in [*spec.subjects][1:])])
        raise CliError(
            f"{ways} is missing: say what {spec.name} is about, by query or name, or by --file. "
            f"`xget tasks create {command_name(spec.name)} --help` shows every way."
        )
    return found


def _arguments(spec: TaskTypeSpec) -> list[Argument]:
    """First what the task is about, then the rest by name."""
    fields: dict[str, Any] = spec.parameters.model_json_schema()["properties"]
    many = set(spec.subjects.values())
    found = [_subject(one, fields[one], first=n == 0) for n, one in enumerate(spec.subjects)]
    if spec.subjects:
        told = f"File with one {next(iter(spec.subjects)).replace('_', ' ')} a line; - is standard input."
        read = Parameter(help=told, show_default=False, allow_leading_hyphen=True)
        found.append(_keyword("file", Annotated[Path | None, read], None))
    for name, field in fields.items():
        if name in many or name in spec.subjects:
            continue
        kind: Any = Annotated[_type(field) | None, _described(field)]
        if spec.subjects or name == "limit":
            found.append(_keyword(name, kind, None))
        else:
            found.insert(0, Argument(name, Argument.POSITIONAL_OR_KEYWORD, default=None, annotation=kind))
    return found


def _subject(name: str, field: Mapping[str, Any], *, first: bool) -> Argument:
    kind = Annotated[list[str] | None, _described(field, " Several are fine.")]
    if first:
        return Argument(name, Argument.POSITIONAL_OR_KEYWORD, default=None, annotation=kind)
    return _keyword(name, kind, None)


def _keyword(name: str, kind: Any, default: Any) -> Argument:
    return Argument(name, Argument.KEYWORD_ONLY, default=default, annotation=kind)


def _described(field: Mapping[str, Any], more: str = "") -> Parameter:
    told = field.get("description", "") + more
    if more or _plain(field).get("type") == "array":
        return Parameter(help=told, show_default=False, negative="")
    return Parameter(help=told, show_default=False)


def _type(field: Mapping[str, Any]) -> Any:
    """The Python type of a field of a JSON schema, as the command line reads it."""
    plain = _plain(field)
    if values := plain.get("enum"):
        choice: Callable[..., Any] = StrEnum  # in any case, which a Literal is not
        return choice("Choice", {value: value for value in values})
    if plain.get("type") == "array":
        inner: Any = _type(plain["items"])
        return list[inner]
    return {"integer": int, "boolean": bool}.get(plain.get("type", ""), str)


def _plain(field: Mapping[str, Any]) -> Mapping[str, Any]:
    """The first of a field's alternatives."""
    while "anyOf" in field:
        field = field["anyOf"][0]
    return field


def _dashed(name: str) -> str:
    return name.replace("_", "-")
