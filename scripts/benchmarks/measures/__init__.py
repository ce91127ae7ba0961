"""One benchmark per file, each with `measure() -> Iterator[Figure]`. What they share is one folder up."""
