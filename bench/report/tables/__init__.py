"""Tables and the words around them."""
