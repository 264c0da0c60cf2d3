"""Systems at work: one file for each kind of system, and the bench on which they rank the dev and test questions."""
