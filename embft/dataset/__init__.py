"""Questions to train, dev and test; formats and checks of datasets."""
