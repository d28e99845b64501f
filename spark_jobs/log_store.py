"""The log store by which Spark commits to the lake while the stream does too: ``PutIfAbsentLogStore.java``."""

from pathlib import Path
from tempfile import mkdtemp
from zipfile import ZipFile

from pyspark import SparkFiles
from pyspark.sql import SparkSession

SOURCE = Path(__file__).with_name("PutIfAbsentLogStore.java")
OPTIONS = {"spark.delta.logStore.class": "pinwheel.PutIfAbsentLogStore"}


def install(spark: SparkSession) -> None:
    """Compile the store with Spark's own compiler, and give it to the driver and all executors.

    A session with ``OPTIONS`` can't open a Delta table before this. Half a second; the jar ends with the session.
    """
    jvm = spark.sparkContext._jvm
    compiler = jvm.org.codehaus.janino.SimpleCompiler()  # type: ignore[union-attr]  # a session has a JVM
    compiler.setParentClassLoader(jvm.java.lang.Thread.currentThread().getContextClassLoader())  # type: ignore[union-attr]
    compiler.cook(SOURCE.read_text())
    classes = compiler.getBytecodes()
    jar = Path(mkdtemp(dir=SparkFiles.getRootDirectory()), "log-store.jar")
    with ZipFile(jar, "w") as file:
        for name in classes:
            file.writestr(f"{name.replace('.', '/')}.class", bytes(classes[name]))
    spark._jsparkSession.sessionState().resourceLoader().addJar(str(jar))  # what ADD JAR does
