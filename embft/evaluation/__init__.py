"""Metrics, how sure they are, and the verdict."""
