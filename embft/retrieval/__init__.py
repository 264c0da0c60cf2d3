"""Systems that rank chunks: dense, windows, BM25, fused; exact top k; the cache of vectors."""
