"""Imported data sets: brought from another repository or a URL, tracked here, and kept up to date.

`importing` and `updating` are the verbs; `arriving` says what an origin has and brings it into the
store, by `repository` or by `url`. Called by the CLI and the API.
"""
