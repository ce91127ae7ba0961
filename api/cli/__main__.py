"""`python -m api.cli`: the command `deedlog`."""

from api.cli import main

main()
