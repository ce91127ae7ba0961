"""The routes, one file for each resource. They check nothing that `registry.acceptance` checks."""
