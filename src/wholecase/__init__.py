"""All images of a medical case in, one honest, explained answer per patient out."""

__version__ = "0.1.0"
