"""The tests. Two workers share two cores: in each, and in what it starts, linear algebra takes one thread."""

import os

# Read when numpy is first imported, so before any test's imports.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
