"""The gate that learns from history: how this data set varied, and whether a version still fits."""
