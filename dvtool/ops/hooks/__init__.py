"""What git's hooks do once they have started dvtool: before a commit, before a push, after both.

The shell in front of it is `dvtool.git.hooktext`, installing it `dvtool.ops.install`. Called by the
internal command `hook`.
"""
