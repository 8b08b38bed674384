"""Records -> people -> one document each: which records are one person, and what is known of that person."""
