"""What is downloaded, from which lock, and how it is known to be whole."""
