import os
import sys

import pyarrow as pa
import pytest
import slipway
import slipway.spark

pyspark_sql = pytest.importorskip("pyspark.sql")


@pytest.fixture(scope="module")
def spark(tmp_path_factory):
    os.environ["PYSPARK_PYTHON"] = sys.executable
    session = (
        pyspark_sql.SparkSession.builder.master("local[2]").appName("slipway").config("spark.ui.enabled", "false")
        .config("spark.driver.bindAddress", "127.0.0.1").config("spark.driver.host", "127.0.0.1")
        .config("spark.sql.session.timeZone", "UTC").config("spark.driver.memory", "2g")
        .config("spark.local.dir", str(tmp_path_factory.mktemp("spark"))).getOrCreate()
    )
    yield session
    session.stop()


def test_spark_answers_as_predict_does(spark, shop, same):
    flights = spark.read.parquet(str(shop / "flights.parquet")).repartition(7)
    scored = slipway.spark.score(flights, shop / "flights-1.0.0.slipway", keep=["id"], ignore_unknown=True)
    assert scored.columns == ["id", "probability", "late", "error"]
    same(pa.table(scored.toArrow()) if hasattr(scored, "toArrow") else pa.Table.from_pandas(scored.toPandas()))


def test_a_worker_opens_the_bundle_once(spark, shop):
    flights = spark.read.parquet(str(shop / "flights.parquet")).limit(40_000).repartition(8)
    function, schema = slipway.spark.map_in_arrow(shop / "flights-1.0.0.slipway", keep=["id"], schema=flights.schema, ignore_unknown=True)

    def counted(batches):
        import slipway.spark

        yield from function(batches)
        assert len(slipway.spark._scorers) == 1

    assert flights.mapInArrow(counted, schema).count() == 40_000
    assert flights.mapInArrow(counted, schema).count() == 40_000


def test_errors_of_a_table_end_the_job_with_their_words(spark, shop):
    flights = spark.read.parquet(str(shop / "flights.parquet")).limit(10).drop("carrier")
    with pytest.raises(Exception, match='has no column \\\\?"carrier'):
        slipway.spark.score(flights, shop / "flights-1.0.0.slipway", ignore_unknown=True).collect()
    with pytest.raises(slipway.SlipwayError, match="keep"):
        slipway.spark.map_in_arrow(shop / "flights-1.0.0.slipway", keep=["id"])
