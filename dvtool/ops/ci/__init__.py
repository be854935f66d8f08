"""`ci`: is this change fit to be merged? One module a step, put together by `run`.

`stretch` finds the commits, `changes` the data sets they change, `proving` proves that all of it
can be restored, `judging` judges, `loosened` tells what the change asks for less. Nothing here
reads the environment. Called by `dvtool.cli.commands.ci`.
"""
