"""What a run says of itself: terminal, JSON; a file each."""
