"""Reference data that every installation starts with, and loading it again and again without harm."""
