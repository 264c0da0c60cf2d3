"""embft: learn which retrieval system to ship for your documents, and get it, with figures that hold."""

__version__ = "0.1.0"
