"""The project's own macros, called from Python: what the command line and the tests need of the compiler, without a dbt run.

dbt's template engine runs the same macro files as dbt does; around them stands only what a definition can ask for: variables, references,
dispatch by engine, dates. Nothing here knows what an audience is.
"""

import datetime
import functools
import hashlib
import itertools
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import yaml

from orchestration.errors import SegmentsError
from orchestration.settings import PROJECT_DIR

MACRO = re.compile(r"\{%-?\s*macro\s+(\w+)\s*\(.*?\{%-?\s*endmacro\s*-?%\}", re.DOTALL)


class MacroFailed(SegmentsError):
    """A macro refused what it was given."""


class Macros:
    """Every macro of the project as a callable: `macros.call("audience_events")`."""

    def __init__(
        self,
        variables: Mapping[str, Any],
        relation: Callable[[str], str],
        *,
        engine: str = "default",
        definitions: Mapping[str, str] | None = None,
        folder: Path = PROJECT_DIR / "macros",
    ) -> None:
        """Load the macros.

        Args:
            variables: dbt variables.
            relation: how a model is called in SQL.
            engine: whose dispatched macros are taken where it has its own.
            definitions: {audience: YAML}, what dbt would find in the files.
            folder: where the macros are.
        """
        self._context: dict[str, Any] = {
            "var": lambda name, default=None: variables.get(name, default),
            "ref": relation,
            "return": _return,
            "config": lambda **_: "",
            "execute": True,
            "local_md5": lambda text: hashlib.md5(text.encode(), usedforsecurity=False).hexdigest(),
            "tojson": lambda value: json.dumps(value, default=str),
            "fromyaml": yaml.safe_load,
            "modules": SimpleNamespace(datetime=datetime, pytz=_pytz(), re=re, itertools=itertools),
            "exceptions": SimpleNamespace(raise_compiler_error=_refuse),
            "adapter": SimpleNamespace(dispatch=self._dispatch),
            "graph": {
                "nodes": {
                    name: {"resource_type": "model", "name": name, "config": {"meta": {"audience": text}}}
                    for name, text in (definitions or {}).items()
                }
            },
        }
        self._engine = engine
        self._folder = folder
        # Macros that somebody has called, each bound to this context once: dbt does so at every call, which is what its calls cost.
        self._bound: dict[str, Callable[..., Any]] = {}
        for name in _texts(folder):
            self._context[name] = functools.partial(self._call, name)

    def call(self, name: str, *arguments: Any, **options: Any) -> Any:
        """What the macro returns, or the text that it renders."""
        return self._call(name, *arguments, **options)

    def render(self, text: str) -> str:
        """The text of a model or a query with its macros expanded."""
        from dbt_common.clients.jinja import get_environment

        return str(get_environment().from_string(text).render(self._context))

    def _call(self, name: str, *arguments: Any, **options: Any) -> Any:
        from dbt_common.exceptions.macros import MacroReturn

        if name not in self._bound:
            module = _template(self._folder, name).make_module(vars=self._context, shared=False)
            self._bound[name] = module.__dict__[f"dbt_macro__{name}"]
        try:
            return self._bound[name](*arguments, **options)
        except MacroReturn as returned:
            return returned.value

    def _dispatch(self, name: str, package: str | None = None) -> Any:
        return self._context.get(f"{self._engine}__{name}") or self._context[f"default__{name}"]


@functools.cache
def _texts(folder: Path) -> dict[str, str]:
    """Each macro as it is written, by name."""
    files = (path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*.sql")))
    return {match[1]: match[0] for text in files for match in MACRO.finditer(text)}


@functools.cache
def _template(folder: Path, name: str) -> Any:
    """One macro as a template of dbt's engine: compiling all of them would take longer than what is asked of a few."""
    from dbt_common.clients.jinja import get_environment

    return get_environment().from_string(_texts(folder)[name])


def _return(value: Any = None) -> Any:
    from dbt_common.exceptions.macros import MacroReturn

    raise MacroReturn(value)


def _refuse(message: str) -> None:
    raise MacroFailed(message)


def _pytz() -> Any:
    import pytz  # type: ignore[import-untyped, unused-ignore]

    return pytz
