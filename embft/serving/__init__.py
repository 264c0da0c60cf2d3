"""What won, at work: vectors and searches over HTTP as they were ranked, from a run folder alone."""
