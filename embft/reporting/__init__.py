"""What a person reads: terminal, HTML, Markdown, model card, comparison of runs."""
