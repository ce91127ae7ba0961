"""What is claimed, by whom, and where it is kept."""
