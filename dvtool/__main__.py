"""`python -m dvtool` is the `dvtool` script."""

from dvtool.cli.entry import main

main()
