"""Deedlog: a rights registry that you do not have to trust.

The code is in the folders `registry`, `anchor` and `api` at the top of the repository; here they have one name.
"""

__version__ = "0.1.0"
"""The release. Written here only: the wheel, `deedlog --version` and the OpenAPI document read it."""
