"""What `bench run` does."""
