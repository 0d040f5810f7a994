"""Which articles tell the same event: a pure, streaming matcher and what trains and measures it.

Knows no database, no network and no clock. ``matcher.Matcher`` is the way in; docs/folding.md says
how it decides and what each part of it was measured to be worth.
"""

import numpy  # noqa: F401, ICN001 - its BLAS must be loaded to be told
from threadpoolctl import threadpool_limits

# The matrices here are small. Several threads for one of them wait for each other, on a busy
# machine a hundred times longer than one would have worked.
threadpool_limits(limits=1, user_api="blas")
