"""The documents that are made from the code: docs/settings.md, docs/dags.md, docs/alerts.md and docs/questions.md.

python -m tests.support.generated
"""

import ast
import io
import re
import sys
import tokenize
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pydantic_settings import BaseSettings

from tests.support import questions, shown_messages

ROOT = Path(__file__).resolve().parents[2]
REFRESH = "python -m tests.support.generated"
MODULES = (
    "pinwheel.core.settings",
    "pinwheel.local.settings",
    "pinwheel.generate.settings",
    "pinwheel.server.settings",
)
KINDS = {
    "boolean": "true or false",
    "integer": "whole number",
    "number": "number",
    "object": "JSON object",
    "string": "text",
}
TITLES = {
    "pinwheel.core.settings": "The pipeline",
    "pinwheel.local.settings": "The embedded stack",
    "pinwheel.generate.settings": "The generator and the Pin API stand-in",
    "pinwheel.server.settings": "The containers of docker-compose.yml",
}
SETTINGS_HEAD = f"""# Settings

Generated from the code by `{REFRESH}`; a test compares. Do not edit.

Every setting is an environment variable. Servers and their logins may come from Airflow connections instead:
[Settings from Airflow connections](deploy.md#settings-from-airflow-connections). A bad value stops the start with a
message that names the setting, its value and the allowed values. In the embedded stack, relative paths are relative to
the repository; elsewhere, to the working directory of the process.

`make run` sets the settings marked **s** for the programs it starts, and ignores your environment: the embedded stack
always uses its own Kafka, database and lake. All other settings are passed on from the shell that runs `make run`, or
from a file `.env` next to the Makefile (copy `.env.example`), which the make targets read.
"""
OTHERS = {
    "`PINWHEEL_CONNECTIONS`": (
        "**s** Names of [Airflow connections](deploy.md#settings-from-airflow-connections) that settings come from, "
        "separated by spaces or commas. Those that the environment defines need no name. `none`: no connections at all."
    ),
    "`PINWHEEL_STREAM_MEMSQL_USER`, `PINWHEEL_STREAM_MEMSQL_PASSWORD`": (
        "**s** Given to the stream's driver in place of `PINWHEEL_MEMSQL_USER` and `PINWHEEL_MEMSQL_PASSWORD`, so that "
        "it has a database user with fewer rights. Not set: the driver uses the merge's user."
    ),
    "`PINWHEEL_REPORT_MEMSQL_USER`, `PINWHEEL_REPORT_MEMSQL_PASSWORD`": "**s** The pages' read-only database user.",
    "`PINWHEEL_ANALYST_MEMSQL_USER`": (
        "The analysts' database user, for the page Explore; its password is `PINWHEEL_ANALYST_MEMSQL_PASSWORD`. Only "
        "Airflow's API server needs the two. `make run` and `docker-compose.yml` set them. Not set: the page says so."
    ),
    "`PINWHEEL_AIRFLOW_DATABASE_URL`": (
        "**s** Address of Airflow's own database, for `clean_metadata`: Airflow hides it from tasks. Give it the value "
        "of `AIRFLOW__DATABASE__SQL_ALCHEMY_CONN`."
    ),
    "`PINWHEEL_REPORT_CRON`": (
        "When `report_brands` runs: five fields of cron, UTC. Not set: `30 4 * * *`, when late events have arrived."
    ),
    "`AIRFLOW_CONN_PINWHEEL_SPARK`": (
        "**s** The Airflow connection to Spark. Can also be created in Airflow's UI, under the name in "
        "`PINWHEEL_SPARK_CONN_ID`."
    ),
    "`SPARK_LOCAL_IP`": (
        "Address under which Spark's executors reach the driver. Not set: 127.0.0.1, which works only for `local[…]`."
    ),
    "`_SPARK_AUTH_SECRET`": (
        "Secret of a standalone Spark cluster, by Spark's own name: the same for its master, its workers, and "
        "Airflow's scheduler. Not needed for `local[…]`, nor on YARN and Kubernetes, where Spark makes one."
    ),
    "`AWS_*`": (
        "Address and login of the store, when `PINWHEEL_LAKE_URI` is `s3://…`: `AWS_REGION`, "
        "`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_ENDPOINT_URL`, `AWS_ALLOW_HTTP`."
    ),
}


@dataclass(frozen=True)
class Setting:
    """One row of a table."""

    name: str
    default: str
    allowed: str
    why: str
    by_run: bool

    def row(self) -> str:
        mark = "**s** " if self.by_run else ""
        return f"| {mark}`{self.name}` | {self.default} | {self.allowed} | {self.why} |"


def settings_text() -> str:
    """docs/settings.md as it should be."""
    given = _given_by_run()
    parts = [SETTINGS_HEAD]
    for name in MODULES:
        parts.append(f"## {TITLES[name]}\n")
        for cls, node in _classes(name):
            rows = [_setting(cls, field, comment, given) for field, comment in node.items()]
            if rows:
                parts.append(_table(cls, rows))
    others = [f"| {name} | {meaning} |" for name, meaning in OTHERS.items()]
    return "\n".join([*parts, "## Not in a class\n", "| variable | meaning |", "|---|---|", *others, ""])


def setting_names() -> set[str]:
    """Every environment variable that a settings class reads."""
    return {f"PINWHEEL_{f.upper()}" for name in MODULES for cls, _ in _classes(name) for f in cls.model_fields}


def _given_by_run() -> set[str]:
    from pinwheel.local.credentials import Credentials
    from pinwheel.local.environment import for_airflow
    from pinwheel.local.settings import LocalSettings

    anything = Credentials(**{field.name: "" for field in fields(Credentials)})
    given = {name.removeprefix("PINWHEEL_").lower() for name in for_airflow(LocalSettings(), anything)}
    return given - set(LocalSettings.model_fields)


def _classes(module: str) -> Iterator[tuple[type[BaseSettings], dict[str, str]]]:
    """Public settings classes in their order, each with its own fields and their comments."""
    source = (ROOT / Path(*module.split("."))).with_suffix(".py").read_text()
    comments = {
        token.start[0]: token.string.lstrip("# ").strip()
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    }
    for node in ast.parse(source).body:
        if not isinstance(node, ast.ClassDef) or node.name.startswith("_"):
            continue
        found = getattr(import_module(module), node.name)
        if isinstance(found, type) and issubclass(found, BaseSettings):
            fields = [f for f in node.body if isinstance(f, ast.AnnAssign)]
            yield found, {ast.unparse(f.target): comments.get(f.end_lineno or 0, "") for f in fields}


def _table(cls: type[BaseSettings], rows: list[Setting]) -> str:
    told = (cls.__doc__ or "").strip().rstrip(".")
    head = "| setting | default | allowed | meaning, or why this default |\n|---|---|---|---|"
    return "\n".join([f"### {told}\n", head, *(row.row() for row in rows), ""])


def _setting(cls: type[BaseSettings], field: str, comment: str, given: set[str]) -> Setting:
    schema = cls.model_json_schema(mode="validation")["properties"][field]
    default = cls.model_fields[field].default
    return Setting(f"PINWHEEL_{field.upper()}", _default(default), _allowed(schema), _cell(comment), field in given)


def _default(value: Any) -> str:
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    return "none" if value in (None, "", {}) else f"`{_cell(f'{value:g}' if isinstance(value, float) else str(value))}`"


def _allowed(schema: dict[str, Any]) -> str:
    kinds = [one for one in schema.get("anyOf", [schema]) if one.get("type") != "null"]
    only = kinds[0]
    if "pattern" in only:
        names = re.fullmatch(r"\^\(([\w|]+)\)\$", only["pattern"])
        if names is None:
            return f"text that matches `{_cell(only['pattern'])}`"
        return " or ".join(f"`{name}`" for name in names[1].split("|"))
    kind = KINDS[only["type"]]
    kind = {"path": "path", "password": "secret text"}.get(only.get("format", ""), kind)
    return kind + _range(only)


def _range(schema: dict[str, Any]) -> str:
    low, high, over = schema.get("minimum"), schema.get("maximum"), schema.get("exclusiveMinimum")
    if over is not None:
        return f", more than {over:g}"
    if low is not None and high is not None:
        return f", {low:g} to {high:g}"
    return f", {low:g} or more" if low is not None else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def dags_text() -> str:
    """docs/dags.md as it should be."""
    found = [_read_dag(path) for path in sorted((ROOT / "dags").glob("*.py"))]
    head = f"# Dags\n\nGenerated from the Dag files' docstrings by `{REFRESH}`; a test compares. Do not edit.\n"
    table = ["| Dag | purpose | schedule | tags |", "|---|---|---|---|", *(dag.row() for dag in found), ""]
    return "\n".join([head, *table, *(dag.section() for dag in found)])


@dataclass(frozen=True)
class Dag:
    """A Dag's entry in docs/dags.md, read from its file."""

    name: str
    title: str
    page: str
    schedule: str
    tags: tuple[str, ...]
    params: tuple[tuple[str, str, str], ...]

    def row(self) -> str:
        return f"| [{self.name}](#{self.name}) | {self.title} | {self.schedule} | {', '.join(self.tags)} |"

    def section(self) -> str:
        page = re.sub(r"`(docs/(runbooks/\w+\.md))`", r"[\1](\2)", self.page)
        told = f"## {self.name}\n\n*{self.title}.*\n\n{page}\n"
        if not self.params:
            return told
        rows = [f"| `{name}` | {_cell(default)} | {_cell(title)} |" for name, default, title in self.params]
        return "\n".join([told, "| parameter | default | meaning |", "|---|---|---|", *rows, ""])


def _read_dag(path: Path) -> Dag:
    tree = ast.parse(path.read_text())
    title, _, page = (ast.get_docstring(tree) or "").partition("\n")
    wiring = next(n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == path.stem)
    call = next(d for d in wiring.decorator_list if isinstance(d, ast.Call) and _is_named(d.func, "dag"))
    words = {k.arg: k.value for k in call.keywords}
    tags = tuple(ast.literal_eval(words["tags"]))
    params = words.get("params")
    given = zip(params.keys, params.values, strict=True) if isinstance(params, ast.Dict) else ()
    return Dag(
        path.stem,
        title.lstrip("# ").strip(),
        page.strip(),
        _schedule(words["schedule"]),
        tags,
        tuple(_param(key, value) for key, value in given),
    )


def _schedule(node: ast.expr) -> str:
    """As the file says it, or the default of the setting that it asks the environment for."""
    if isinstance(node, ast.Call):
        variable, default = (ast.literal_eval(arg) for arg in node.args)
        return f"`{default}`, by `{variable}`"
    schedule = ast.literal_eval(node)
    return f"`{schedule}`" if schedule else "by hand"


def _param(key: ast.expr | None, value: ast.expr) -> tuple[str, str, str]:
    assert isinstance(key, ast.Constant)
    assert isinstance(value, ast.Call)
    words = {k.arg: ast.literal_eval(k.value) for k in value.keywords if k.arg in ("title", "description")}
    default = _told_default(value.args[0]) if value.args else "(to be given)"
    told = ". ".join(words[name].rstrip(".") for name in ("title", "description") if name in words)
    return str(key.value), f"`{default}`" if default is not None else "none", told


def _told_default(node: ast.expr) -> object:
    """A literal, or the code that makes the default."""
    try:
        return ast.literal_eval(node)
    except ValueError:
        return ast.unparse(node)


def _is_named(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


ALERTS_HEAD = (
    """# Alerts

Generated from the code by `"""
    + REFRESH
    + """`; a test compares. Do not edit.

An alert goes to the log, to the table `alerts`, to the health page, and to every receiver in `PINWHEEL_ALERT_URLS`
([Apprise](https://github.com/caronc/apprise) URLs). Its message says what is wrong with the number and what is allowed,
what that means for whom, what to do first, and since when. With `PINWHEEL_BASE_URL`, the address of Airflow as people
reach it, it links to the page, to the alert, to the Dag's runs and to the runbook.

- **One fault, one alert.** A fault that follows from another one sends nothing: while the stream is down, no alert is
  sent about the lag, the lake or tables that are behind, nor for five minutes after it, while the pipeline catches up.
  A table whose slice is held sends no second alert for being behind. If something is still wrong then, it is sent.
- **One recovery.** When a lasting alert is over, one message says how long it lasted.
- **Tested.** `tests/operate/test_planted_faults.py` plants twelve faults in a pipeline of real parts: each sends one
  alert, whose first line is the cause and whose action is that of the tables below, and one recovery; some are
  [below](#examples).
- **On purpose is no fault.** A stream that a person stopped (`control_stream`) raises no alert; after an hour they are
  reminded. A first start raises none either.
- **Silences.** A person may silence an alert for a while (`silence_alert`, or its button on the health page). It is
  sent after that if it is still open.
- **critical**: act now. **warning**: look today.

"""
)


def alerts_text() -> str:
    """docs/alerts.md as it should be."""
    from pinwheel.alerts.catalogue import ALERTS

    head = "| alert | what is wrong | what it means | what to do first |\n|---|---|---|---|"
    parts = [ALERTS_HEAD.rstrip() + "\n"]
    for severity in ("critical", "warning"):
        rows = [
            f"| [`{a.name}`]({a.runbook.removeprefix('docs/')}) | {a.title.format(subject='…')} | {a.means} | {a.do} |"
            for a in ALERTS.values()
            if a.severity == severity
        ]
        parts.append(f"## {severity}\n\n{head}\n" + "\n".join(rows) + "\n")
    return "\n".join([*parts, shown_messages.examples()])


GENERATED: dict[str, Callable[[], str]] = {
    "docs/settings.md": settings_text,
    "docs/dags.md": dags_text,
    "docs/alerts.md": alerts_text,
    "docs/questions.md": lambda: questions.text(REFRESH),
}


if __name__ == "__main__":
    for target, text in GENERATED.items():
        (ROOT / target).write_text(text())
        sys.stdout.write(f"{target}\n")
