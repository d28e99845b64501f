"""A real Chromium for the pages, and checks that no attack runs in it."""

import types
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, is_dataclass
from datetime import UTC, date, datetime
from enum import Enum
from itertools import islice, product
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints
from urllib.parse import urljoin

from playwright.sync_api import Browser, Page, Playwright, Route
from pydantic import BaseModel

from bench.browsing import ARGUMENTS, CHROMIUM

STOPPED = "Content Security Policy"  # in the browser's message about each violation
RAN = "__ran"  # set on the window by every attack that runs
VECTORS = (
    "<script>{}</script>",
    "<img src=x onerror={}>",
    "<svg onload={}>",
    "<svg/onload={}//",
    "<body onload={}>",
    "<iframe src=javascript:{}></iframe>",
    "<iframe srcdoc='<script>parent.{}</script>'></iframe>",
    "<a href=javascript:{} autofocus onfocus={}>x</a>",
    "<input autofocus onfocus={}>",
    "<details open ontoggle={}>",
    "<video><source onerror={}></video>",
    "<math><mi xlink:href='javascript:{}'>x</mi></math>",
    "<object data=javascript:{}></object>",
    "<embed src=javascript:{}>",
    "<style>@import 'javascript:{}';</style>",
    "<marquee onstart={}>",
    "<meta http-equiv=refresh content='0;url=javascript:{}'>",
    "javascript:{}",
    "data:text/html,<script>parent.{}</script>",
    "${{{}}}",
    "{{{{constructor.constructor('{}')()}}}}",
    "<template><script>{}</script></template>",
    "<svg><animate onbegin={} attributeName=x dur=1s>",
    "<noscript><p title='</noscript><img src=x onerror={}>'>",
    "<x onclick={} style=animation-name:x onanimationstart={}>",
)
WRAPPERS = ("{}", '">{}', "'>{}", "</title>{}", "</option></select>{}", "--!>{}", "</textarea></script>{}", "]]>{}")


def attacks(n: int = 200) -> list[str]:
    """Texts that run where a page takes text for HTML, a URL or code; each sets ``window.__ran``."""
    made = (outer.format(inner) for outer, inner in product(WRAPPERS, VECTORS))
    return [text.replace("{}", f"window.{RAN}=1") for text in islice((_filled(t) for t in made), n)]


def _filled(text: str) -> str:
    return text.replace("{}", f"window.{RAN}=1")


def hostile(model: type[Any], texts: list[str]) -> dict[str, Any]:
    """An answer with each of the texts wherever the model has room for a text; its lists have an item for each."""
    return {name: _value(kind, texts) for name, kind in get_type_hints(model).items() if name != "model_config"}


def _value(kind: Any, texts: list[str]) -> Any:
    origin, parts = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return _value(next(part for part in parts if part is not type(None)), texts)
    if origin is Literal:
        return parts[0]
    if origin in (list, tuple):
        return [_value(parts[0], [text]) for text in texts]
    if origin is dict:
        return {text: _value(parts[1], [text]) for text in texts}
    if issubclass(kind, Enum):
        return next(iter(kind)).value
    if issubclass(kind, BaseModel) or is_dataclass(kind):
        return hostile(kind, texts)
    now = datetime.now(UTC)
    plain = {str: texts[0], datetime: now.isoformat(), date: now.date().isoformat(), bool: True, int: 3, float: 3.5}
    return plain[kind]


def available() -> bool:
    return CHROMIUM.exists()


@dataclass
class Seen:
    """Dialogs, script errors, requests and bytes of a page; what its policy stopped is an error."""

    dialogs: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    bytes: dict[str, float] = field(default_factory=dict)  # as they came, mostly compressed, by address


def launch(playwright: Playwright) -> Browser:
    return playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(ARGUMENTS))


@contextmanager
def opened(
    browser: Browser, address: str, token: str, answers: dict[str, Any] | None = None, **context: Any
) -> Iterator[tuple[Page, Seen]]:
    """A page at ``address`` with a session; ``answers``: the answer of ``api/<key>``, in place of the server's."""
    made = browser.new_context(**({"viewport": {"width": 1280, "height": 860}} | context))
    made.add_cookies([{"name": "_token", "value": token, "url": urljoin(address, "/")}])
    page, seen = made.new_page(), Seen()
    page.on("dialog", lambda dialog: seen.dialogs.append(dialog.message))
    page.on("dialog", lambda dialog: dialog.dismiss())
    page.on("pageerror", lambda error: seen.faults.append(str(error)))
    page.on("console", lambda said: seen.faults.append(said.text) if STOPPED in said.text else None)
    page.on("request", lambda request: seen.requests.append(request.url))
    _weigh(page, seen)
    for path, body in (answers or {}).items():
        page.route(f"**/api/{path}", _answering(body))
    try:
        page.goto(address)
        yield page, seen
    finally:
        made.close()  # or its globe goes on turning


def _weigh(page: Page, seen: Seen) -> None:
    network, urls = page.context.new_cdp_session(page), dict[str, str]()
    network.on("Network.requestWillBeSent", lambda sent: urls.update({sent["requestId"]: sent["request"]["url"]}))
    network.on(
        "Network.loadingFinished",
        lambda done: seen.bytes.update({urls.get(done["requestId"], ""): done["encodedDataLength"]}),
    )
    network.send("Network.enable")


def _answering(body: Any) -> Any:
    def answer(route: Route) -> None:
        route.fulfill(json=body)

    return answer


def ran(page: Page) -> bool:
    """Whether any attack did."""
    return bool(page.evaluate(f"window.{RAN} !== undefined"))
