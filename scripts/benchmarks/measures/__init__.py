"""One benchmark a file, each with `measure() -> Iterator[Figure]`; what they share lies one folder up."""
