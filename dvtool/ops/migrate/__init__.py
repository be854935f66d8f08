"""Coming from another tool, and going back to it: `migrate dvc`, `migrate lfs`, `export dvc`.

`places` knows where the other tool keeps bytes, `objects` brings them into the store, and one module
a verb decides what is meant and writes the result. The other tool's files are read, never changed.
"""
