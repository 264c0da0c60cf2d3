"""Documents to pages to chunks.

Nothing is imported here: a cache key follows imports, and how chunks are cut must not be in the key of what was read.
"""
