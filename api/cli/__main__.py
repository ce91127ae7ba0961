"""`python -m deedlog.api.cli`: the command `deedlog`."""

from deedlog.api.cli import main

main()
