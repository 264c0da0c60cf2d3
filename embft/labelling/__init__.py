"""A test set by hand: a page on this machine where people write questions about chunks and judge what the systems found."""
