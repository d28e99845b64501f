"""Explore: what a statement may do, how long and how much, who may ask, and what is answered."""

import csv
import getpass
import io
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpx
import pymysql
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pymysql.cursors import DictCursor
from starlette.middleware.base import BaseHTTPMiddleware

from pinwheel.clients.memsql import Row
from pinwheel.core.settings import MemsqlSettings, WebSettings
from pinwheel.local import environment, mariadb
from pinwheel.local.stack import Stack
from plugins.web import explore, explore_run
from plugins.web.database import as_analyst
from plugins.web.explore_run import Slots
from plugins.web.same_origin import from_our_pages
from plugins.web.sql_words import refusal
from tests.support.pages import Login, api_routes, serving

ANALYST = ("PINWHEEL_ANALYST_MEMSQL_USER", "PINWHEEL_ANALYST_MEMSQL_PASSWORD")
CROSS = (
    "SELECT COUNT(*) FROM information_schema.columns AS a, information_schema.columns AS b, information_schema.columns"
)
HOURS = "SELECT a.hour_of_day FROM clock_hours AS a, clock_hours AS b, clock_hours AS c"  # 24 * 24 * 24 rows

if TYPE_CHECKING:  # generic in its type stubs only
    Connection = pymysql.connections.Connection[DictCursor]
else:
    Connection = pymysql.connections.Connection
Ask = Callable[[str], Any]


@pytest.fixture
def analyst(stack_with_memsql: Stack) -> MemsqlSettings:
    return environment.memsql(stack_with_memsql.settings, stack_with_memsql.credentials, "analyst")


@pytest.fixture
def server(stack_with_memsql: Stack) -> Iterator[Connection]:
    """As the server's administrator, who sees everybody's statements."""
    socket = mariadb.socket_path(stack_with_memsql.settings.stack_dir / "mariadb")
    database = stack_with_memsql.settings.memsql_database
    with pymysql.connect(
        unix_socket=str(socket), user=getpass.getuser(), database=database, cursorclass=DictCursor
    ) as opened:
        yield opened


@pytest.fixture
def pages(app: FastAPI, analyst: MemsqlSettings) -> FastAPI:
    """The app with the embedded stack's database, and the analysts' user."""
    app.dependency_overrides[explore.analyst] = lambda: analyst
    return app


@pytest.fixture
def ask(pages: FastAPI, ann: TestClient) -> Ask:
    return lambda sql: ann.post("/api/explore", json={"sql": sql})


@pytest.fixture
def unread(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page sends what it would not: the database has to refuse by itself."""
    monkeypatch.setattr(explore, "refusal", lambda _: None)


def limited(app: FastAPI, **values: Any) -> None:
    app.state.settings = app.state.settings.model_copy(update=values)
    app.state.slots = explore.slots(app.state.settings)


def message(answer: Any) -> str:
    return str(answer.json()["error"]["message"])


def query(connection: Connection, sql: str) -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        rows = list(cursor.fetchall())
    connection.rollback()
    return rows


# People and sites.


@pytest.mark.parametrize(("name", "status"), [(None, 401), ("carl", 403)])
def test_only_people_who_see_all_brands_may_ask(pages: FastAPI, login: Login, name: str | None, status: int) -> None:
    client, asked = login(name), {"sql": "SELECT 1"}
    answers = [client.get("/api/explore"), *(client.post(f"/api/explore{p}", json=asked) for p in ("", "/file"))]
    assert [answer.status_code for answer in answers] == [status] * 3


def test_it_says_what_to_set(app: FastAPI, ann: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ANALYST:
        monkeypatch.delenv(name, raising=False)
    for answer in (ann.get("/api/explore"), ann.post("/api/explore", json={"sql": "SELECT 1"})):
        assert answer.status_code == 503
        assert all(name in message(answer) for name in ANALYST)


def test_the_user_is_the_analysts_own(settings: WebSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ANALYST[0], "pinwheel_analyst")
    monkeypatch.setenv(ANALYST[1], "hush")
    found = as_analyst(settings)
    assert found is not None
    assert (found.memsql_user, found.memsql_password.get_secret_value()) == ("pinwheel_analyst", "hush")


def test_a_wrong_password_is_said(pages: FastAPI, analyst: MemsqlSettings, ann: TestClient) -> None:
    wrong = analyst.model_copy(update={"memsql_password": type(analyst.memsql_password)("wrong")})
    pages.dependency_overrides[explore.analyst] = lambda: wrong
    answer = ann.post("/api/explore", json={"sql": "SELECT 1"})
    assert (answer.status_code, "PINWHEEL_ANALYST_MEMSQL_PASSWORD" in message(answer)) == (503, True)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_what_a_form_of_another_site_can_send_is_refused(pages: FastAPI, ann: TestClient, kind: str) -> None:
    for path in ("/api/explore", "/api/explore/file"):
        answer = ann.post(path, content=b'{"sql": "SELECT 1"}', headers={"Content-Type": kind})
        assert (answer.status_code, answer.json()["error"]["code"]) == (415, "wrong_type")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://behind.a.proxy"}, 200),
        ({"Origin": "http://testserver"}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Origin": "https://elsewhere.example"}, 403),
        ({"Origin": "null"}, 403),
    ],
    ids=str,
)
def test_what_another_site_s_page_sends_is_refused(
    pages: FastAPI, ann: TestClient, headers: dict[str, str], status: int
) -> None:
    answer = ann.post("/api/explore", json={"sql": "SELECT 1"}, headers=headers)
    assert answer.status_code == status


def test_every_post_of_the_pages_has_the_guard(app: FastAPI) -> None:
    posts = [route for route in api_routes(app) if "POST" in route.methods]
    assert posts
    assert [r.path for r in posts if from_our_pages not in [d.call for d in r.dependant.dependencies]] == []


# Answers.


def test_cells_are_what_the_database_says(ask: Ask) -> None:
    answer = ask(
        "SELECT 9007199254740993 AS id, 1.10 AS price, 2.5E0 AS ratio, NULL AS gone, '=1+1' AS said, x'00ff' AS raw, "
        "CAST('2026-03-14 09:00:00' AS DATETIME) AS at, DATE '2026-03-14' AS day, '😀' AS said;"
    )
    assert answer.status_code == 200
    told = answer.json()
    assert [(c["name"], c["kind"]) for c in told["columns"]] == [
        *(("id", "number"), ("price", "number"), ("ratio", "number"), ("gone", "text"), ("said", "text")),
        *(("raw", "text"), ("at", "time"), ("day", "time"), ("said", "text")),
    ]
    assert told["rows"] == [
        ["9007199254740993", "1.10", "2.5", None, "=1+1", "0x00ff", "2026-03-14 09:00:00", "2026-03-14", "😀"]
    ]
    assert (told["cut_by"], told["seconds"] >= 0) == (None, True)


@pytest.mark.parametrize(
    "sql",
    [
        "WITH h AS (SELECT 1 AS a) SELECT a FROM h",
        "(SELECT 1) UNION (SELECT 2)",
        "EXPLAIN SELECT * FROM repins",
        "SELECT 'FOR UPDATE' AS `lock in share mode`",
        "SHOW TABLES",
        "show full columns from repins",
        "DESCRIBE repins",
        "-- a comment; and another\nSELECT ';' /* ; */ # ;\n ; ;",
    ],
)
def test_what_reads_is_answered(ask: Ask, sql: str) -> None:
    answer = ask(sql)
    assert answer.status_code == 200, answer.text
    assert answer.json()["columns"]


def test_an_error_is_the_server_s_with_its_line_and_without_hosts(ask: Ask) -> None:
    assert message(ask("SELECT 1\nFRM repins x y")).endswith("at line 2")
    assert message(ask("SELECT nope FROM repins")) == "Unknown column 'nope' in 'SELECT'"
    assert message(ask("SELECT * FROM alerts")) == (
        "SELECT command denied to user 'pinwheel_analyst' for table `pinwheel`.`alerts`"
    )
    assert ask("SELECT * FROM nothing").status_code == 422


# Refusals.

FORBIDDEN = (
    "INSERT INTO brands (brand_id, name) VALUES (1, 'x')",
    "REPLACE INTO brands (brand_id, name) VALUES (1, 'x')",
    "UPDATE repins SET brand_id = 1",
    "DELETE FROM engagement",
    "TRUNCATE repins",
    "DROP VIEW engagement",
    "DROP TABLE repins",
    "ALTER TABLE repins ADD COLUMN x INT",
    "RENAME TABLE repins TO x",
    "CREATE TABLE mine (a INT)",
    "CREATE TEMPORARY TABLE mine (a INT)",
    "CREATE VIEW mine AS SELECT 1",
    "CREATE INDEX mine ON repins (city)",
    "CREATE FUNCTION f() RETURNS INT RETURN 1",
    "LOCK TABLES repins WRITE",
    "SELECT * FROM clock_hours FOR UPDATE",
    "SET GLOBAL max_statement_time = 0",
    "SET PASSWORD = PASSWORD('mine')",
    "ALTER USER CURRENT_USER() IDENTIFIED BY 'mine'",
    "GRANT SELECT ON alerts TO CURRENT_USER()",
    "SELECT * FROM repins INTO OUTFILE '/tmp/x'",
    "SELECT 1 INTO DUMPFILE '/tmp/x'",
    "LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE brands",
    "LOAD DATA INFILE '/etc/passwd' INTO TABLE brands",
    "OPTIMIZE TABLE repins",
    "ANALYZE TABLE repins",
    "FLUSH TABLES",
    "RESET MASTER",
    "SHUTDOWN",
    "CALL anything()",
    "SELECT 1; SELECT 2",
    "SELECT 1; DELETE FROM repins",
    "SELECT * FROM mysql.user",
    "SELECT * FROM quarantine",
    "SELECT * FROM people",
    "SELECT * FROM merge_slices",
    "SHOW CREATE TABLE alerts",
    "BEGIN NOT ATOMIC COMMIT; SET SESSION tx_read_only = 0; DELETE FROM repins; END",
    "EXECUTE IMMEDIATE 'DELETE FROM repins'",
    "/*!50000 DELETE FROM repins */",
    "SET STATEMENT tx_read_only = 0 FOR DELETE FROM repins",
)


@pytest.mark.usefixtures("unread")
@pytest.mark.parametrize("sql", FORBIDDEN)
def test_the_database_refuses_by_itself(ask: Ask, server: Connection, sql: str) -> None:
    asked = "SELECT (SELECT COUNT(*) FROM brands) AS brands, (SELECT COUNT(*) FROM clock_hours) AS hours"
    before = query(server, asked)
    answer = ask(sql)
    assert answer.status_code == 422, answer.text
    assert "127.0.0.1" not in answer.text
    assert query(server, asked) == before


# The server's own rights allow an analyst these, and nothing is gained by them here.
BY_WORDS = (
    "SELECT * FROM clock_hours LOCK IN SHARE MODE",
    "SELECT * FROM clock_hours FOR\n/* */ update",
    "WITH a AS (SELECT 1) SELECT * FROM clock_hours lock in share mode",
    "SET SESSION max_statement_time = 0",
    "SET @a = 1",
    "SET STATEMENT max_statement_time = 0 FOR SELECT SLEEP(1)",
    "/*!50000 SET STATEMENT max_statement_time = 0 FOR */ SELECT SLEEP(1)",
    "/*M!100000 SELECT 1 */",
    "SELECT 1 /*! INTO @a */",
    "KILL 7",
    "DO SLEEP(1)",
    "HANDLER repins OPEN",
    "BEGIN NOT ATOMIC SELECT 1; END",
    "EXECUTE IMMEDIATE 'SELECT 1'",
    "PREPARE s FROM 'SELECT 1'",
    "COMMIT",
    "USE mysql",
    "CHECK TABLE repins",
    "SHOW GRANTS",
    "SHOW /* */ grants",
    "SHOW CREATE USER",
    "SHOW PROCESSLIST",
    "(((",
    "",
    "  -- nothing\n",
    "'SELECT'",
    "SELECT 1; SELECT 2",
    "SELECT ';'; SELECT 2",
)


@pytest.mark.parametrize("sql", [*BY_WORDS, *(f for f in FORBIDDEN if not f.startswith(("SELECT", "SHOW")))])
def test_what_is_not_sent_is_said_kindly(app: FastAPI, ann: TestClient, sql: str) -> None:
    app.dependency_overrides[explore.analyst] = lambda: None  # it would fail
    answer = ann.post("/api/explore", json={"sql": sql})
    assert (answer.status_code, message(answer)) == (422, refusal(sql))
    assert len(message(answer)) > 40


def test_a_long_text_is_no_statement(app: FastAPI, ann: TestClient) -> None:
    app.dependency_overrides[explore.analyst] = lambda: None
    assert ann.post("/api/explore", json={"sql": "SELECT 1 " + " " * explore.MAX_STATEMENT}).status_code == 422


@pytest.mark.parametrize(
    "sql", ["'" * 20_000, "/*" * 10_000, "(" * 20_000, "`\\" * 10_000, "SELECT 'a''" + "'" * 19_000]
)
def test_no_text_takes_long_to_read(sql: str) -> None:
    started = time.perf_counter()
    refusal(sql)
    assert time.perf_counter() - started < 1


def test_the_server_holds_the_limits(ask: Ask) -> None:
    limits = ("tx_read_only", "max_statement_time", "sql_select_limit", "max_session_mem_used", "tmp_disk_table_size")
    (row,) = ask(f"SELECT {', '.join(f'@@{name}' for name in limits)}").json()["rows"]
    assert row == ["1", "30.000000", "1001", str(256 << 20), str(2 << 30)]


def test_nothing_of_a_statement_is_left_to_the_next(ask: Ask) -> None:
    ask("SELECT 1 INTO @left")
    assert ask("SELECT @left AS a, CONNECTION_ID() AS b").json()["rows"][0][0] is None


# How long, how much, how many.


@pytest.mark.parametrize("sql", ["SELECT SLEEP(30)", f"{CROSS} AS c", "SELECT BENCHMARK(1e12, SHA2('x', 512))"])
def test_the_server_ends_what_takes_too_long(
    pages: FastAPI, ask: Ask, sql: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explore_run, "GRACE_SECONDS", 60)  # so that nobody else ends it
    limited(pages, explore_statement_seconds=0.5)
    started = time.monotonic()
    answer = ask(sql)
    assert time.monotonic() - started < 25
    if "BENCHMARK" not in sql:  # MariaDB ends it and says nothing
        assert (answer.status_code, message(answer)[:17]) == (422, "Ended after 0.5 s")


@pytest.mark.usefixtures("unread")
def test_a_statement_without_the_server_s_limit_is_ended_from_outside(
    pages: FastAPI, ask: Ask, server: Connection
) -> None:
    limited(pages, explore_statement_seconds=0.5)
    started = time.monotonic()
    answer = ask("SET STATEMENT max_statement_time = 0 FOR SELECT SLEEP(60)")
    assert (answer.status_code, message(answer)[:17]) == (422, "Ended after 0.5 s")
    assert time.monotonic() - started < 30
    assert running(server) == []


def running(server: Connection) -> list[Row]:
    asked = "SELECT id FROM information_schema.processlist WHERE user = 'pinwheel_analyst' AND info LIKE '%SLEEP%'"
    return query(server, asked)


def wait(condition: Callable[[], bool], seconds: float = 20) -> bool:
    until = time.monotonic() + seconds
    while not condition() and time.monotonic() < until:
        time.sleep(0.1)
    return condition()


def test_it_ends_when_the_viewer_is_gone(pages: FastAPI, tokens: dict[str, str], server: Connection) -> None:
    async def passed_on(request: Any, call_next: Any) -> Any:
        return await call_next(request)

    pages.add_middleware(BaseHTTPMiddleware, dispatch=passed_on)  # as Airflow's own, which hand over what they receive
    with serving(pages) as address, ThreadPoolExecutor() as threads:
        client = httpx.Client(cookies={"_token": tokens["ann"]})
        going = threads.submit(client.post, f"{address}/api/explore", json={"sql": "SELECT SLEEP(60)"}, timeout=8)
        assert wait(lambda: len(running(server)) == 1)
        with pytest.raises(httpx.ReadTimeout):
            going.result()
        client.close()
        assert wait(lambda: running(server) == [], 15), "before the server ends it"


@pytest.mark.parametrize("limit", ["", " LIMIT 5000"])
def test_many_rows_are_cut(ask: Ask, limit: str) -> None:
    told = ask(HOURS + limit).json()
    assert (len(told["rows"]), told["cut_by"]) == (1000, "rows")
    assert ask("SELECT * FROM clock_hours").json()["cut_by"] is None


def test_large_cells_are_cut_and_the_connection_ends(ask: Ask, server: Connection) -> None:
    told = ask("SELECT REPEAT('x', 600000) AS a FROM clock_hours").json()
    assert (len(told["rows"]), told["cut_by"]) == (explore.SHOWN_SIZE // 600_050, "size")
    told = ask("SELECT REPEAT('x', 15000000) AS a").json()
    assert (told["rows"], told["cut_by"]) == ([], "size")
    of_analyst = "SELECT id FROM information_schema.processlist WHERE user = 'pinwheel_analyst'"
    assert wait(lambda: query(server, of_analyst) == [])


def test_one_person_runs_two_and_all_run_a_few(pages: FastAPI, login: Login, server: Connection) -> None:
    limited(pages, explore_max_running=3)

    def asks(name: str, sql: str) -> int:
        return int(login(name).post("/api/explore", json={"sql": sql}).status_code)

    with ThreadPoolExecutor() as threads:
        slow = [threads.submit(asks, "ann", "SELECT SLEEP(25)") for _ in range(2)]
        assert wait(lambda: len(running(server)) == 2)
        assert asks("ann", "SELECT 1") == 429
        slow.append(threads.submit(asks, "bob", "SELECT SLEEP(25)"))
        assert wait(lambda: len(running(server)) == 3)
        assert asks("bob", "SELECT 1") == 429
        for row in running(server):
            query(server, f"KILL {row['id']}")
        assert [one.result() for one in slow] == [503] * 3
    assert asks("ann", "SELECT 1") == 200


def test_a_place_is_given_back_after_a_failure() -> None:
    slots = Slots(1, 1)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), slots.taken("ann"):
            raise ZeroDivisionError


# The file.


def test_a_file_is_safe_for_spreadsheets_and_has_numbers(pages: FastAPI, ann: TestClient) -> None:
    sql = "SELECT '=1+1' AS `@a`, -1.50 AS b, '-2' AS c, NULL AS d, 'x\ty' AS e, -2.5E30 AS f, '+😀' AS g"
    answer = ann.post("/api/explore/file", json={"sql": sql})
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="explore.csv"'
    assert "x-cut-by" not in answer.headers
    names, cells = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert names == ["'@a", "b", "c", "d", "e", "f", "g"]
    assert cells == ["'=1+1", "-1.50", "'-2", "", "x\ty", "-2.5E+30", "'+😀"]


def test_a_file_has_more_rows_than_the_page_and_says_when_not_all(pages: FastAPI, ann: TestClient) -> None:
    limited(pages, explore_file_rows=2000)
    answer = ann.post("/api/explore/file", json={"sql": HOURS})
    assert (answer.headers["x-rows"], answer.headers["x-cut-by"]) == ("2000", "rows")
    assert len(answer.text.splitlines()) == 2001


# The dictionary and the questions.


def test_the_dictionary_is_what_an_analyst_may_read(pages: FastAPI, ann: TestClient, ask: Ask) -> None:
    told = ann.get("/api/explore").json()
    tables = {t["name"]: t for t in told["tables"]}
    assert {"engagement", "repins", "trending", "data_dictionary"} <= set(tables)
    assert not {"alerts", "quarantine", "people", "merge_slices"} & set(tables)
    assert tables["brand_engagement_daily"]["about"] == "One row per brand, and hour or day"
    assert [t["name"] for t in tables.values() if not t["about"]] == []
    assert [(n, c["name"]) for n, t in tables.items() for c in t["columns"] if not c["meaning"]] == []
    assert [t["is_view"] for t in told["tables"]] == sorted((t["is_view"] for t in told["tables"]), reverse=True)
    assert (told["person"], told["rows"]) == ("ann", 1000)


def test_every_question_runs_as_it_is(pages: FastAPI, ann: TestClient, ask: Ask, subtests: pytest.Subtests) -> None:
    found = ann.get("/api/explore").json()["questions"]
    assert len(found) >= 15
    for question in found:
        with subtests.test(question["name"]):
            answer = ask(question["sql"])
            assert answer.status_code == 200, answer.text
            assert question["sql"].startswith(f"-- {question['purpose']}\n")
