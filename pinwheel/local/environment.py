"""The environment of the started processes: all of their settings, with absolute paths, and their secrets."""

import os
from collections.abc import Mapping

from pinwheel.clients.spark import python_path
from pinwheel.core import connections
from pinwheel.core.connections import PREFIX
from pinwheel.core.settings import GeoSettings, MemsqlSettings, load
from pinwheel.local import airflow, kafka
from pinwheel.local.credentials import Credentials
from pinwheel.local.parts import LOOPBACK
from pinwheel.local.settings import ROOT, LocalSettings


def shared(settings: LocalSettings) -> dict[str, str]:
    """Settings that every process gets; no secret."""
    geo = load(GeoSettings)
    stack = settings.stack_dir
    values = {
        "connections": connections.NONE,  # the stack's own servers, whatever the environment defines
        "state_dir": settings.state_dir,
        "stack": settings.stack,
        "topic": settings.topic,
        "base_url": settings.airflow_url,
        "lake_uri": stack / "lake",
        "memsql_host": LOOPBACK,
        "memsql_port": settings.memsql_port,
        "memsql_database": settings.memsql_database,
        "memsql_engine": "mariadb",
        "pin_api_url": f"http://{LOOPBACK}:{settings.pin_api_port}",
        "pin_api_port": settings.pin_api_port,
        "catalogue_seed": settings.catalogue_seed,
        "geo_ipv4_path": ROOT / geo.geo_ipv4_path,
        "geo_ipv6_path": ROOT / geo.geo_ipv6_path,
        "checkpoint_uri": stack / "checkpoints" / "stream_engagement",
        "driver_lock_path": settings.driver_lock_path,
        "stream_dir": stack / "stream",
        "quality_dir": stack / "quality",
        "reports_uri": stack / "reports",
        "web_modules_dir": settings.tools_dir / "web" / "node_modules",
        "erasure_log_dirs": f"{settings.logs_dir}:{settings.airflow_dir / 'logs'}",
        "spark_jars_dir": settings.tools_dir / "jars" / "spark",
    }
    python = {
        "PYTHONPATH": python_path(),
        "PYTHONDONTWRITEBYTECODE": "",  # set in some containers, where it costs each Airflow process 4 s to compile
    }
    return _variables(values) | python


def for_generator(settings: LocalSettings, credentials: Credentials) -> dict[str, str]:
    """For the programs that send events."""
    return shared(settings) | _variables(kafka.client(settings, credentials))


def for_pin_api(settings: LocalSettings, credentials: Credentials) -> dict[str, str]:
    """For the Pin API, and for the programs that ask it."""
    return shared(settings) | {"PINWHEEL_PIN_API_TOKEN": credentials.pin_api_token}


def for_airflow(settings: LocalSettings, credentials: Credentials) -> dict[str, str]:
    """For Airflow and its tasks: the merge's database user, and those that the stream and the reports switch to."""
    return {
        **for_generator(settings, credentials),
        **for_pin_api(settings, credentials),
        **airflow.environment(settings, credentials),
        "PINWHEEL_MEMSQL_USER": "pinwheel_merge",
        "PINWHEEL_MEMSQL_PASSWORD": credentials.memsql_merge,
        "PINWHEEL_STREAM_MEMSQL_USER": "pinwheel_stream",
        "PINWHEEL_STREAM_MEMSQL_PASSWORD": credentials.memsql_stream,
        **_reader(credentials),
        "PINWHEEL_ERASURE_KEY": credentials.erasure_key,
    }


def without_tasks(settings: LocalSettings, credentials: Credentials) -> dict[str, dict[str, str]]:
    """For Airflow's programs that run no tasks: the pages' database users, and no other secret of the pipeline."""
    own = shared(settings) | airflow.environment(settings, credentials)
    pages = own | _reader(credentials) | _analyst(credentials)
    return {airflow.API_SERVER: pages, airflow.DAG_PROCESSOR: own, airflow.TRIGGERER: own}


def _reader(credentials: Credentials) -> dict[str, str]:
    return {
        "PINWHEEL_REPORT_MEMSQL_USER": "pinwheel_report",
        "PINWHEEL_REPORT_MEMSQL_PASSWORD": credentials.memsql_report,
    }


def _analyst(credentials: Credentials) -> dict[str, str]:
    return {
        "PINWHEEL_ANALYST_MEMSQL_USER": "pinwheel_analyst",
        "PINWHEEL_ANALYST_MEMSQL_PASSWORD": credentials.memsql_analyst,
    }


def memsql(settings: LocalSettings, credentials: Credentials, role: str) -> MemsqlSettings:
    """The database as one of its users: ``admin``, ``merge``, ``stream``, ``report`` or ``analyst``."""
    return load(
        MemsqlSettings,
        memsql_host=LOOPBACK,
        memsql_port=settings.memsql_port,
        memsql_database=settings.memsql_database,
        memsql_engine="mariadb",
        memsql_user=f"pinwheel_{role}",
        memsql_password=getattr(credentials, f"memsql_{role}"),
        memsql_ssl_ca=None,
    )


def _variables(values: Mapping[str, object]) -> dict[str, str]:
    return {f"{PREFIX}{name.upper()}": str(value) for name, value in values.items()}


def adopt(settings: LocalSettings, credentials: Credentials) -> None:
    """Set the stack's environment in this process, with the merge's database user; for tests and one-off commands."""
    os.environ.update(for_airflow(settings, credentials))
