"""What the daemon says of itself: metrics, their text form, temperature and power."""
