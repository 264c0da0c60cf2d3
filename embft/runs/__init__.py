"""Around a run: its folder, the end of a sweep, several processes."""
