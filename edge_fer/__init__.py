"""Facial-expression recognition on small machines."""
