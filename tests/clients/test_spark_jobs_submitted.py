"""The arguments of Spark jobs on the lake."""

from pathlib import Path

import pytest

from pinwheel.clients import spark
from pinwheel.core.errors import MissingPartError
from pinwheel.core.settings import LakeJobSettings

DELTA, KAFKA, STORE = "delta-spark_4.2_2.13-4.4.0.jar", "kafka-clients-3.9.2.jar", "hadoop-aws-3.5.0.jar"


@pytest.fixture
def settings(tmp_path: Path) -> LakeJobSettings:
    for folder, names in {"spark": (DELTA, KAFKA), "spark-s3": (STORE,)}.items():
        (tmp_path / folder).mkdir()
        for name in names:
            (tmp_path / folder / name).touch()
    return LakeJobSettings(
        lake_uri=f"{tmp_path}/lake",
        spark_jars_dir=tmp_path / "spark",
        spark_s3_jars_dir=tmp_path / "spark-s3",
        driver_memory="3g",
    )


def jars(submitted: dict[str, str]) -> set[str]:
    return {Path(jar).name for jar in submitted["jars"].split(",")}


def test_a_lake_on_a_disk_needs_delta_s_jars(settings: LakeJobSettings) -> None:
    submitted = spark.lake_job(spark.REBUILD_TABLES, settings, ["pins"])
    assert jars(submitted) == {DELTA}
    assert submitted["conf"]["spark.driver.memory"] == "3g"
    assert not [name for name in submitted["conf"] if "s3a" in name]
    assert Path(submitted["application"]).is_file()
    assert submitted["application_args"] == ["pins"]
    assert set(submitted) == set(spark.SUBMITTED)


def test_a_lake_in_a_store_needs_its_jars_and_address_and_no_secret(
    settings: LakeJobSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"ACCESS_KEY_ID": "hush", "SECRET_ACCESS_KEY": "hush", "ENDPOINT_URL": "http://s3:9000"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    away = settings.model_copy(update={"lake_uri": "s3://bucket/lake"})
    submitted = spark.lake_job(spark.COMPACT_TABLES, away)
    assert jars(submitted) == {DELTA, STORE}
    assert submitted["conf"]["spark.hadoop.fs.s3a.endpoint"] == "http://s3:9000"
    assert "hush" not in str(submitted)

    (settings.spark_s3_jars_dir / STORE).unlink()
    with pytest.raises(MissingPartError, match="PINWHEEL_LAKE_URI=s3://bucket/lake"):
        spark.lake_job(spark.COMPACT_TABLES, away)
