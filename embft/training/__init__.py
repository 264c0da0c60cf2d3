"""The fine-tune: batches by chunk, loss, trainer."""
