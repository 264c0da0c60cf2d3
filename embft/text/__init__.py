"""What text is made of: tokens, words, and phrases that lean on a passage. No stage, no model."""
