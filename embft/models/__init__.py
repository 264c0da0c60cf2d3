"""Models: where weights come from, texts to vectors."""
