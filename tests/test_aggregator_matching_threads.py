"""Small matrices are one thread's work."""

from threadpoolctl import threadpool_info

import aggregator.matching


def test_the_matcher_leaves_blas_one_thread() -> None:
    assert aggregator.matching.__name__
    # Other tests load other libraries, with a BLAS of their own.
    numpys = [one for one in threadpool_info() if "numpy" in one["filepath"]]
    assert {one["num_threads"] for one in numpys} == {1}
