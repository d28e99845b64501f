"""Measures the live pages on a running stack: latency of the globe, cost of viewers, answer times.

    make run                                   # in another terminal, with PINWHEEL_DEMO_RATE=1000
    python -m bench.live latency --seconds 60  # event in Kafka -> circle on an open globe
    python -m bench.live globe --seconds 600   # frames/s, main-thread blocks, memory of the page
    python -m bench.live viewers --viewers 50  # slowdown of Airflow's other pages
    python -m bench.live pages                 # first answers

Prints rows for docs/benchmarks.md; exits with 1 when a limit is broken.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Sequence

import httpx
import numpy as np
import psutil
from playwright.sync_api import Page

from bench.browsing import address, chromium, opened, token

WARM_SECONDS = 15.0  # scripts, textures, the replay of the last minute
OTHERS = ("/api/v2/monitor/health", "/api/v2/dags?limit=10", "/api/v2/version")
LOOKED_AT = 20  # brands
PAGES = {
    "live": ("live", "api/live/choices"),
    "trends": ("trends", "api/trends"),
    "brand": ("brand", "api/brands/{brand}"),
    "pin": ("pin", "api/pins/{pin}"),
    "health": ("health", "api/health/flow", "api/health/alerts", "api/health/complete"),
    "quality": ("quality", "api/quality", "api/quality/rows", "api/quality/dead-letters"),
    "reports": ("reports", "api/reports"),
}
WATCH_BLOCKS = """() => {
  window.blocks = [];
  const note = (list) => blocks.push(...list.getEntries().map((entry) => entry.duration));
  new PerformanceObserver(note).observe({type: "longtask"});
}"""
COUNT_FRAMES = """(ms) => new Promise((done) => {
  let n = 0; const began = performance.now();
  const frame = (now) => { n += 1; now - began < ms ? requestAnimationFrame(frame) : done(n * 1000 / (now - began)); };
  requestAnimationFrame(frame);
})"""


def main() -> int:
    """Run one scene."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("scene", choices=("latency", "globe", "viewers", "pages"))
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--viewers", type=int, default=50)
    given = parser.parse_args()
    match given.scene:
        case "latency":
            return latency(given.seconds)
        case "globe":
            return globe(given.seconds)
        case "viewers":
            return asyncio.run(viewers(given.viewers, given.seconds))
        case _:
            return pages()


def row(what: str, found: str, limit: str, holds: bool) -> int:
    """Print a row of the table; returns 1 when the limit is broken."""
    print(f"| {what} | {found} | {limit} | {'yes' if holds else '**no**'} |", flush=True)
    return int(not holds)


def latency(seconds: float) -> int:
    """From an event's Kafka time until its circle is drawn, by the clock of this one machine."""
    with chromium() as browser:
        page = opened(browser, "/pinwheel/live", token())
        page.wait_for_timeout(WARM_SECONDS * 1000)
        page.evaluate("pinwheelLive.rings.latencies.length = 0")
        rate, waits = [], list[float]()
        for _ in range(max(1, round(seconds / 2))):
            page.wait_for_timeout(2000)
            waits += page.evaluate("pinwheelLive.rings.latencies.splice(0)")
            rate.append(page.evaluate("pinwheelLive.feed.rate(['repin', 'pin', 'comment', 'login'])") or 0)
    p50, p95 = np.percentile(waits, [50, 95]) / 1000
    broken = row("events a second, circles measured", f"{np.median(rate):,.0f}, {len(waits):,}", "", True)
    broken += row("event in Kafka → circle, p50", f"{p50:.2f} s", "3 s", p50 <= 3)
    return broken + row("event in Kafka → circle, p95", f"{p95:.2f} s", "5 s", p95 <= 5)


def globe(seconds: float) -> int:
    """Frame rate, blocks and memory of one open globe."""
    with chromium() as browser:
        page = opened(browser, "/pinwheel/live", token())
        page.wait_for_timeout(WARM_SECONDS * 1000)
        page.evaluate(WATCH_BLOCKS)
        before = _heap(page)
        rates = [page.evaluate(COUNT_FRAMES, 5000) for _ in range(max(1, round(seconds / 5)))]
        after, blocks = _heap(page), page.evaluate("blocks")
        events = page.evaluate("pinwheelLive.feed.rate(['repin', 'pin', 'comment', 'login'])") or 0
    worst = max(blocks, default=0)
    broken = row("events a second", f"{events:,.0f}", "", True)
    found = f"{np.median(rates):.0f}, least {min(rates):.0f} over 5 s"
    broken += row("frames a second, drawn by the processor", found, "10", float(np.median(rates)) >= 10)
    broken += row("longest main-thread block", f"{worst:.0f} ms", "200 ms", worst <= 200)
    found = f"{before:.1f} → {after:.1f} MB in {seconds:.0f} s"
    return broken + row("memory of the page's scripts", found, "flat", after - before < 5)


def _heap(page: Page) -> float:
    """Heap in use after a garbage collection, in MB."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    used = session.send("Runtime.getHeapUsage")["usedSize"]
    session.detach()
    return float(used) / 1e6


async def viewers(n: int, seconds: float) -> int:
    """Answer times of Airflow's own pages without and with ``n`` live streams."""
    server = _server()
    headers = {"Authorization": f"Bearer {token()}"}
    limits = httpx.Limits(max_connections=n + 10)
    async with httpx.AsyncClient(base_url=address(), headers=headers, timeout=60, limits=limits) as client:
        await _answers(client, OTHERS, 10)
        alone = await _answers(client, OTHERS, seconds / 2)
        lags: list[float] = []
        memory = _megabytes(server)
        streams = [asyncio.create_task(_watch(client, lags)) for _ in range(n)]
        await asyncio.sleep(WARM_SECONDS)
        lags.clear()
        together = await _answers(client, OTHERS, seconds)
        grown = _megabytes(server) - memory
        for stream in streams:
            stream.cancel()
        await asyncio.gather(*streams, return_exceptions=True)
    times = np.percentile(together, 50) / np.percentile(alone, 50)
    found = f"{_ms(alone)} alone, {_ms(together)} with {n}: × {times:.1f}"
    broken = row(f"Airflow's other pages, p50 (p95), {n} viewers", found, "× 2", bool(times <= 2))
    broken += row("longest lag of any viewer, Kafka → browser", f"{max(lags):.1f} s", "10 s", max(lags) <= 10)
    return broken + row("memory of the API server", f"+ {grown:.0f} MB", "100 MB", grown < 100)


def _server() -> psutil.Process:
    port = int(address().rpartition(":")[2])
    listening = (c for c in psutil.net_connections("tcp") if c.status == "LISTEN")
    return psutil.Process(next(c.pid for c in listening if c.laddr and c.laddr.port == port))


def _megabytes(process: psutil.Process) -> float:
    return float(process.memory_info().rss) / 1e6


async def _watch(client: httpx.AsyncClient, lags: list[float]) -> None:
    """One viewer; appends the age, in seconds, of the newest event of each update on arrival."""
    while True:
        async with client.stream("GET", "/pinwheel/api/live/events") as answer:
            answer.raise_for_status()
            name = ""
            async for line in answer.aiter_lines():
                if line.startswith("event:"):
                    name = line[6:].strip()
                elif line.startswith("data:") and name == "update":
                    lags.append(time.time() - json.loads(line[5:])["received_at"] / 1000)


async def _answers(client: httpx.AsyncClient, paths: Sequence[str], seconds: float) -> list[float]:
    """Request the paths in turn for ``seconds``; returns the answer times, in seconds."""
    waits: list[float] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for path in paths:
            began = time.monotonic()
            (await client.get(path)).raise_for_status()
            waits.append(time.monotonic() - began)
        await asyncio.sleep(0.1)
    return waits


def _ms(waits: Sequence[float]) -> str:
    p50, p95 = np.percentile(waits, [50, 95]) * 1000
    return f"{p50:.0f} ({p95:.0f}) ms"


def pages() -> int:
    """Answer times of every page's document and of the requests that it sends first."""
    headers = {"Authorization": f"Bearer {token()}"}
    broken = 0
    with httpx.Client(base_url=f"{address()}/pinwheel/", headers=headers, timeout=60) as client:
        busiest = _busiest(client)
        for name, paths in PAGES.items():
            for path in (wanted.format(**busiest) for wanted in paths):
                waits = [client.get(path).raise_for_status().elapsed.total_seconds() for _ in range(40)]
                p95 = float(np.percentile(waits, 95)) * 1000
                broken += row(f"{name}: `{path}`, p50 (p95)", _ms(waits), "300 ms", p95 <= 300)
    return broken


def _busiest(client: httpx.Client) -> dict[str, str]:
    """The brand with the most engagement today of the first ones by name, and its most engaged pin."""
    choices = client.get("api/live/choices").raise_for_status().json()["brands"][:LOOKED_AT]
    days = [client.get(f"api/brands/{choice['brand_id']}").raise_for_status().json() for choice in choices]
    day = max((day for day in days if day["pins"]), key=lambda day: float(day["today"]["engagement"]))
    return {"brand": str(day["brand_id"]), "pin": day["pins"][0]["pin_id"]}


if __name__ == "__main__":
    sys.exit(main())
