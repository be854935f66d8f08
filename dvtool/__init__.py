"""dvtool versions large data with git and refuses bad data at the gate."""

__version__ = "0.1.0"
