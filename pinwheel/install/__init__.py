"""Downloads: from which lock, into which folder, and how a complete one is recognised."""
