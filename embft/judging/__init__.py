"""Chunks that nobody judged: pooled, graded by an LLM or by people, and the judge judged itself."""
