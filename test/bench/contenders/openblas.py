"""Matrix products in numpy on OpenBLAS. Argument: JSON list of products, or `name` to print which
OpenBLAS it is; where numpy computes with another BLAS it says so and exits with 1."""

import ctypes
import json
import os
import resource
import sys
import time

os.environ["OPENBLAS_NUM_THREADS"] = os.environ.get("THREADS", "2")  # Read when it is loaded.

import numpy as np


def libraries():
    """Files of BLAS that this process has loaded; the one that products go to comes first."""
    with open("/proc/self/maps") as maps:
        paths = {line[line.index("/") :].strip() for line in maps if "/" in line}
    found = [path for path in paths if "blas" in os.path.basename(path)]
    return sorted(found, key=lambda path: not os.path.basename(path).startswith("libblas."))


def describe():
    """Name, version and the processor that its kernels were chosen for; None for another BLAS."""
    found = libraries()
    library = ctypes.CDLL(found[0]) if found else None
    if not hasattr(library, "openblas_get_config"):
        return None
    library.openblas_get_config.restype = ctypes.c_char_p
    library.openblas_get_corename.restype = ctypes.c_char_p
    version = library.openblas_get_config().decode().split()[1]
    return f"OpenBLAS {version} ({library.openblas_get_corename().decode()})"


np.dot(np.ones((8, 8), np.float32), np.ones((8, 8), np.float32))
name = describe()
if name is None:
    print(f"numpy computes with {(libraries() or ['no BLAS'])[0]}")
    sys.exit(1)
if sys.argv[1] == "name":
    print(name)
    sys.exit()

random = np.random.default_rng(0)
for product in json.loads(sys.argv[1]):
    a = random.standard_normal((product["rows"], product["inner"]), np.float32)
    b = random.standard_normal((product["inner"], product["columns"]), np.float32)
    result = np.empty((product["rows"], product["columns"]), np.float32)
    for _ in range(product["warmups"]):
        np.dot(a, b, out=result)
    milliseconds = []
    for _ in range(product["repetitions"]):
        start = time.perf_counter()
        np.dot(a, b, out=result)
        milliseconds.append(1000 * (time.perf_counter() - start))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"workload": product["name"], "milliseconds": milliseconds, "peakBytes": peak}))
