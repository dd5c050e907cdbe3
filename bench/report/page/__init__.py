"""The one page that holds everything."""
