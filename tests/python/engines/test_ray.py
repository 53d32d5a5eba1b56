import pyarrow as pa
import pytest
import slipway.ray

ray = pytest.importorskip("ray")


@pytest.fixture(scope="module")
def cluster():
    ray.init(num_cpus=2, include_dashboard=False, object_store_memory=400 << 20, _node_ip_address="127.0.0.1", log_to_driver=False)
    yield
    ray.shutdown()


@pytest.mark.parametrize("form", ["pyarrow", "pandas"])
def test_ray_answers_as_predict_does(cluster, form, shop, same):
    flights = ray.data.read_parquet(str(shop / "flights.parquet"))
    scored = flights.map_batches(
        slipway.ray.Predictor, batch_format=form, batch_size=65_536, concurrency=1,
        fn_constructor_kwargs={"bundle": shop / "flights-1.0.0.slipway", "keep": ["id"], "ignore_unknown": True},
    )
    tables = [pa.table(batch) for batch in scored.iter_batches(batch_format="pyarrow", batch_size=None)]
    same(pa.concat_tables(tables, promote_options="permissive"))
