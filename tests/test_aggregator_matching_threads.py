"""Small matrices are one thread's work."""

from threadpoolctl import threadpool_info

import aggregator.matching


def test_the_matcher_leaves_blas_one_thread() -> None:
    assert aggregator.matching.__name__
    threads = [one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"]
    assert set(threads) == {1}
