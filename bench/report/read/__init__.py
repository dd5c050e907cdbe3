"""Reading back what runs wrote."""
