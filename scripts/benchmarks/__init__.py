"""The benchmarks: one file each, `measure() -> Iterator[Figure]`. Add a name here and a file in `measures`."""

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
"""In the order in which they run; a name's module is its file, with `_` for `-`."""
