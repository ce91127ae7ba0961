"""The steps from one schema version to the next (Alembic), one file each in `versions`.

Read `env` first. A step imports nothing of Deedlog: it must do the same when the tables of today have changed.
"""
