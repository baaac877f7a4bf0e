"""What a model would take on a board that is not here: a range, always called an estimate."""
