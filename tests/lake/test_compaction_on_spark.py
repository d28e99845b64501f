"""The arguments of the compaction's Spark job, and whether it starts at all."""

from datetime import timedelta
from pathlib import Path

import pytest

from pinwheel.core.errors import MissingPartError
from pinwheel.core.settings import CompactSettings
from pinwheel.lake.compaction import is_due
from pinwheel.lake.compaction_on_spark import submission
from pinwheel.lake.landing import Landing
from tests.support.lake_rows import NOON, TOPIC, make_lake, row, write

DELTA, KAFKA, STORE = "delta-spark_4.2_2.13-4.4.0.jar", "kafka-clients-3.9.2.jar", "hadoop-aws-3.5.0.jar"
LATER = NOON + timedelta(minutes=23)


@pytest.fixture
def settings(tmp_path: Path) -> CompactSettings:
    for folder, names in {"spark": (DELTA, KAFKA), "spark-s3": (STORE,)}.items():
        (tmp_path / folder).mkdir()
        for name in names:
            (tmp_path / folder / name).touch()
    return CompactSettings(
        lake_uri=f"{tmp_path}/lake",
        spark_jars_dir=tmp_path / "spark",
        spark_s3_jars_dir=tmp_path / "spark-s3",
        driver_memory="3g",
        compact_open_files=2,
    )


def jars(submitted: dict[str, str]) -> set[str]:
    return {Path(jar).name for jar in submitted["jars"].split(",")}


def test_a_lake_on_a_disk_needs_delta_s_jars(settings: CompactSettings) -> None:
    submitted = submission(settings, LATER)
    assert jars(submitted) == {DELTA}
    assert submitted["conf"]["spark.driver.memory"] == "3g"
    assert not [name for name in submitted["conf"] if "s3a" in name]
    assert Path(submitted["application"]).is_file()


def test_a_lake_in_a_store_needs_its_jars_and_address_and_no_secret(
    settings: CompactSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"ACCESS_KEY_ID": "hush", "SECRET_ACCESS_KEY": "hush", "ENDPOINT_URL": "http://s3:9000"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    away = settings.model_copy(update={"lake_uri": "s3://bucket/lake"})
    submitted = submission(away, LATER)
    assert jars(submitted) == {DELTA, STORE}
    assert submitted["conf"]["spark.hadoop.fs.s3a.endpoint"] == "http://s3:9000"
    assert "hush" not in str(submitted)

    (settings.spark_s3_jars_dir / STORE).unlink()
    with pytest.raises(MissingPartError, match="PINWHEEL_LAKE_URI=s3://bucket/lake"):
        submission(away, LATER)


def test_it_cleans_up_by_the_time_at_which_it_was_submitted(settings: CompactSettings) -> None:
    assert submission(settings, NOON)["application_args"] == ["--clean"]
    assert submission(settings, LATER)["application_args"] == []


def test_it_is_due_when_files_are_many_and_once_an_hour(settings: CompactSettings, tmp_path: Path) -> None:
    assert not is_due(settings, NOON), "no lake yet"
    writer = Landing(make_lake(tmp_path), TOPIC)
    writer.commit(write(settings.events_uri, [row(0)]))
    assert not is_due(settings, LATER)
    assert is_due(settings, NOON)
    writer.commit(write(settings.events_uri, [row(1)]))
    assert is_due(settings, LATER)
