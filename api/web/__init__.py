"""Pages for people: HTML, and no JavaScript that a page needs.

`pages` has the routes, `verdict_page` is a verification as a page, which the command line writes too. May import
`api.http` and `api.texts`.
"""
