"""Deedlog: a rights registry that you don't have to trust.

The code is in the folders `registry`, `anchor` and `api` at the top of the repository. Code imports them as
`deedlog.registry`, `deedlog.anchor` and `deedlog.api`.
"""

__version__ = "0.1.0"
"""The release. This is its only source: the wheel, `deedlog --version` and the OpenAPI document read it."""
