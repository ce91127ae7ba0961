"""Pages for people: `rendering` sets up the templates, `pages` has the routes, `verdict_page` makes a verdict's report.

The markup is in `templates/`. `verdict_page` is part of the base install, so it and `rendering` import no FastAPI. May
import `api.http` and `api.texts`, `anchor` and `registry`.
"""
