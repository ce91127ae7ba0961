"""Pages for people: `rendering` has the templates' environment, `pages` the routes, `verdict_page` a verdict's report.

The markup is in `templates/`. `verdict_page` is part of the base install, so it and `rendering` import no FastAPI.
"""
