"""The benchmarks. Each has its name in `NAMES` and a file in `measures` with `measure() -> Iterator[Figure]`."""

NAMES = (
    "hash",
    "statement",
    "log",
    "proof",
    "register",
    "register-batch",
    "agreement",
    "fold",
    "verify",
    "audit",
    "gas",
)
"""In the order in which they run. A name's module has `_` for `-`."""
