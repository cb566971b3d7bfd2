"""The page and its server: `menura serve`. Owns HTTP, jobs and their events; knows no algorithm.

`settings` says what is allowed, `app` puts the server together, `api` and `sounds` are its addresses, `guard` refuses
what must not come in, `jobs` runs matches one process each, `studio` renders what a listener asks for.
"""
