"""Database users have what they need and no more, by trying everything else, on a database of its own."""

import getpass
from collections.abc import Iterator
from dataclasses import dataclass

import pymysql
import pytest

from pinwheel.clients import grants, memsql, migrations
from pinwheel.clients.memsql import Connection
from pinwheel.core.contract import TABLES
from pinwheel.core.settings import MemsqlSettings
from pinwheel.local import environment, mariadb
from pinwheel.local.parts import LOOPBACK
from pinwheel.local.stack import Stack
from tests.support import rights
from tests.support.rights import Rights

DATABASE, ELSEWHERE = "pinwheel_rights", "pinwheel_elsewhere"
USERS = ("admin", *grants.ROLES)
# Refusals of a database, a login, a table, a column, a thread, a global right, a routine, a grant, a server's option.
DENIED = {1044, 1045, 1142, 1143, 1095, 1227, 1370, 1410, 1290}
ON_A_TABLE = {  # each asks for its right alone and changes nothing; those of the last four would
    "SELECT": "SELECT 1 FROM {table} LIMIT 0",
    "UPDATE": "UPDATE {table} SET {column} = DEFAULT WHERE FALSE",
    "DELETE": "DELETE FROM {table} WHERE FALSE",
    "CREATE": "CREATE TABLE IF NOT EXISTS {table} (a INT)",
    "INSERT": "INSERT INTO {table} VALUES ()",
    "INDEX": "CREATE INDEX by_nothing ON {table} ({column})",
    "ALTER": "ALTER TABLE {table} COMMENT = ''",
    "DROP": "TRUNCATE TABLE {table}",
}
CHANGING = {"INDEX", "ALTER", "DROP"}  # implicit commits: only tried where they must be refused
NOBODY_MAY = (
    f"SELECT * FROM {ELSEWHERE}.something",
    f"CREATE TABLE {ELSEWHERE}.other (a INT)",
    f"DROP DATABASE {ELSEWHERE}",
    "CREATE DATABASE pinwheel_more",
    "SELECT * FROM mysql.user",
    "SELECT * FROM mysql.global_priv",
    "SELECT * FROM mysql.db",
    "INSERT INTO mysql.plugin VALUES ('a', 'b')",
    "CREATE USER other@'127.0.0.1' IDENTIFIED BY 'x'",
    "ALTER USER {other}@'127.0.0.1' IDENTIFIED BY 'x'",
    "DROP USER {other}@'127.0.0.1'",
    "RENAME USER {other}@'127.0.0.1' TO another@'127.0.0.1'",
    "CREATE ROLE other",
    "SET PASSWORD FOR {other}@'127.0.0.1' = PASSWORD('x')",
    f"GRANT SELECT ON {DATABASE}.pins TO pinwheel_analyst@'127.0.0.1'",
    f"GRANT SELECT ON {DATABASE}.* TO pinwheel_stream@'127.0.0.1'",
    "SET GLOBAL max_connections = 5",
    "SET GLOBAL local_infile = 1",
    "SET GLOBAL general_log = 1",
    "SET SESSION sql_log_bin = 0",
    "SELECT 1 INTO OUTFILE '/tmp/pinwheel-of-nobody'",
    "SELECT 1 INTO DUMPFILE '/tmp/pinwheel-of-nobody'",
    "LOAD DATA INFILE '/etc/passwd' INTO TABLE pin_cache",
    "LOCK TABLES brands WRITE",
    "FLUSH TABLES WITH READ LOCK",
    "FLUSH PRIVILEGES",
    "BACKUP STAGE START",
    "SHOW ENGINE INNODB STATUS",
    "SHOW MASTER STATUS",
    "SHOW BINARY LOGS",
    "RESET MASTER",
    "CHANGE MASTER TO MASTER_HOST = 'x'",
    "INSTALL SONAME 'ha_connect'",
    "CREATE SERVER other FOREIGN DATA WRAPPER mysql OPTIONS (HOST 'x')",
    "SHUTDOWN",
    "KILL {administrator}",
    "CREATE FUNCTION f() RETURNS INT RETURN 1",
    "CREATE PROCEDURE p() SELECT 1",
    "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO SELECT 1",
    "CREATE TRIGGER t BEFORE INSERT ON pin_cache FOR EACH ROW SET @a = 1",
)


@dataclass(frozen=True)
class World:
    """The database, its administrator, and its tables and views with a column of each."""

    settings: MemsqlSettings
    stack: Stack
    administrator: "pymysql.Connection"
    tables: dict[str, str]
    texts: frozenset[str]

    def needs(self, role: str) -> Rights:
        """The rights that the role's code needs."""
        every = {table: {"SELECT"} for table in self.tables}
        if role == "admin":
            every_right = {table: set(ON_A_TABLE) for table in self.tables}
            return every_right | {"data_dictionary": set(ON_A_TABLE) - {"UPDATE"}}  # a view of the server's own tables
        if role == "merge":  # an erasure reads everything: it proves that nothing is left
            return rights.together(every, rights.of_merge(self.texts))
        if role == "stream":
            return rights.together(rights.of_rooms(rights.STREAM_ROOMS), {"pin_cache": {"SELECT"}})
        return every if role == "report" else {table: {"SELECT"} for table in ANALYST}


ANALYST = {  # as docs/sql.md says: events, rollups and views; no quarantine, alerts, ledger rows, or lists of people
    *TABLES,
    *("brands", "brand_hourly", "brand_daily", "brand_country_daily", "category_hourly", "country_hourly"),
    *("pin_cache", "pin_hourly", "pin_firsts", "people_daily", "people_hourly", "person_homes", "clock_hours"),
    *("view_columns", "engagement", "brand_engagement_hourly", "brand_engagement_daily", "repin_minutes", "trending"),
    *("brand_country_engagement_daily", "category_engagement_hourly", "country_engagement_hourly"),
    *("pin_engagement_hourly", "pin_first_repins", "people_daily_counts", "people_homes", "complete_through"),
    *("merge_ledger", "data_dictionary"),
}


@pytest.fixture(scope="module")
def world(stack_with_memsql: Stack) -> Iterator[World]:
    stack = stack_with_memsql
    home = stack.settings.stack_dir / "mariadb"
    of = {role: getattr(stack.credentials, f"memsql_{role}") for role in USERS}
    root = pymysql.connect(
        unix_socket=str(mariadb.socket_path(home)), user=getpass.getuser(), autocommit=True, ssl_disabled=True
    )
    ask(root, f"CREATE DATABASE {ELSEWHERE}")
    ask(root, f"CREATE TABLE {ELSEWHERE}.something (a INT)")
    grants.make_users(root, DATABASE, engine="mariadb", host=LOOPBACK, passwords=of)
    admin = environment.memsql(stack.settings, stack.credentials, "admin")
    settings = admin.model_copy(update={"memsql_database": DATABASE})
    migrations.apply(settings)
    for _ in range(2):  # each start grants again
        grants.grant_tables(root, DATABASE, engine="mariadb", host=LOOPBACK)
    named = ask(root, f"SELECT table_name, MIN(column_name) FROM information_schema.columns {OF_US} GROUP BY 1")
    texts = ask(root, f"SELECT table_name FROM information_schema.columns JOIN information_schema.tables {TEXTS}")
    yield World(settings, stack, root, {table: column for table, column in named}, frozenset(name for (name,) in texts))
    for name in (DATABASE, ELSEWHERE):
        ask(root, f"DROP DATABASE {name}")
    root.close()


OF_US = f"WHERE table_schema = '{DATABASE}'"
TEXTS = (
    f"USING (table_schema, table_name) {OF_US} AND table_type = 'BASE TABLE' AND data_type IN "
    "('char', 'varchar', 'text', 'mediumtext', 'longtext', 'tinytext', 'json')"
)


def ask(connection: "pymysql.Connection", sql: str) -> tuple[tuple[str, ...], ...]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return tuple(cursor.fetchall())


def as_user(world: World, role: str) -> Connection:
    user = environment.memsql(world.stack.settings, world.stack.credentials, role)
    return memsql.connect(user.model_copy(update={"memsql_database": DATABASE}))


def is_denied(connection: Connection, sql: str) -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql)
    except pymysql.err.MySQLError as error:
        return error.args[0] in DENIED
    finally:
        connection.rollback()
    return False


@pytest.mark.parametrize("role", USERS)
def test_a_user_has_the_rights_that_its_code_needs_and_no_other(world: World, role: str) -> None:
    needs = world.needs(role)
    assert set(needs) - set(world.tables) <= {*rights.REBUILT, *rights.REPLACED}
    wrong = []
    with as_user(world, role) as connection:
        for table, column in world.tables.items():
            wanted = needs.get(table, set())
            for right in set(ON_A_TABLE) - (CHANGING & wanted):
                sql = ON_A_TABLE[right].format(table=table, column=column)
                if is_denied(connection, sql) is (right in wanted):
                    wrong.append(f"{'lacks' if right in wanted else 'has'} {right} on {table}")
    assert wrong == []


@pytest.mark.parametrize("role", USERS)
def test_nobody_gets_beyond_the_database(world: World, role: str) -> None:
    ((number,),) = ask(world.administrator, "SELECT CONNECTION_ID()")
    other = "pinwheel_stream" if role == "report" else "pinwheel_report"  # one's own password anybody may change
    tried = [s.replace("{administrator}", str(number)).replace("{other}", other) for s in NOBODY_MAY]
    with as_user(world, role) as connection:
        allowed = [s for s in tried if not is_denied(connection, s)]
        assert allowed == []
        others = [other for other in USERS if other != role]
        grants_of = [f"SHOW GRANTS FOR pinwheel_{other}@'127.0.0.1'" for other in (*others, "nobody")]
        assert [s for s in grants_of if not is_denied(connection, s)] == []
        with connection.cursor() as cursor:
            cursor.execute("SELECT DISTINCT user FROM information_schema.processlist")
            assert [row["user"] for row in cursor.fetchall()] == [f"pinwheel_{role}"]
            cursor.execute("SELECT LOAD_FILE('/etc/passwd') AS found")
            assert [row["found"] for row in cursor.fetchall()] == [None]


@pytest.mark.parametrize("role", USERS)
def test_only_the_owner_makes_tables_and_views(world: World, role: str) -> None:
    with as_user(world, role) as connection:
        denied = [is_denied(connection, s) for s in ("CREATE TABLE made (a INT)", "CREATE VIEW seen AS SELECT 1 AS a")]
        assert denied == [role != "admin"] * 2
        if role == "admin":
            assert not is_denied(connection, "DROP TABLE made")
            assert not is_denied(connection, "DROP VIEW seen")
        assert is_denied(connection, "CREATE TEMPORARY TABLE of_mine AS SELECT 1 AS a") is (
            role not in ("merge", "stream")
        )


@pytest.mark.parametrize("table", TABLES)
def test_the_merge_exchanges_a_rebuilt_table(world: World, table: str) -> None:
    with as_user(world, "merge") as connection:
        for _ in range(2):
            memsql.execute_all(connection, "merge/rebuild/shadow", table=table)
            for right in ("INSERT", "UPDATE", "DELETE"):
                sql = ON_A_TABLE[right].format(table=f"rebuilt_{table}", column=world.tables[table])
                assert not is_denied(connection, sql)
            memsql.execute_all(connection, "merge/rebuild/exchange", table=table)
            assert not is_denied(connection, f"UPDATE replaced_{table} SET country_code = '' WHERE FALSE")
            memsql.execute(connection, "merge/rebuild/drop_replaced", table=table)


def test_the_server_has_no_other_user(world: World) -> None:
    """The administrator's has no password: it logs in through the socket, as the person who started the server."""
    users = set(ask(world.administrator, "SELECT user, host FROM mysql.global_priv"))
    of_the_server = {("mariadb.sys", "localhost"), (getpass.getuser(), "localhost"), ("root", "localhost")}
    assert users | {("root", "localhost")} == {(f"pinwheel_{role}", LOOPBACK) for role in USERS} | of_the_server
    with pytest.raises(pymysql.err.OperationalError, match="denied"):
        pymysql.connect(host=LOOPBACK, port=world.settings.memsql_port, user=getpass.getuser(), password="")


def test_wide_rights_of_an_older_version_are_taken_away(world: World) -> None:
    """Granted to a user on a database of its own, so that the other tests keep theirs."""
    wide = {
        "merge": "SELECT, INSERT, UPDATE, DELETE, CREATE TEMPORARY TABLES, SHOW VIEW ON {database}.*",
        "stream": "SELECT, INSERT, UPDATE, DELETE ON {database}.pin_cache",
        "admin": "ALL PRIVILEGES ON {database}.*",
    }
    for role, words in wide.items():
        ask(world.administrator, f"GRANT {words.format(database=DATABASE)} TO pinwheel_{role}@'127.0.0.1'")
    of = {role: getattr(world.stack.credentials, f"memsql_{role}") for role in USERS}
    grants.make_users(world.administrator, DATABASE, engine="mariadb", host=LOOPBACK, passwords=of)
    grants.grant_tables(world.administrator, DATABASE, engine="mariadb", host=LOOPBACK)
    for role in wide:
        test_a_user_has_the_rights_that_its_code_needs_and_no_other(world, role)
        test_nobody_gets_beyond_the_database(world, role)
