"""One module a stage: its key, its build, its files. The packages below know nothing of stages or of each other."""
