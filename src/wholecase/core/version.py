"""Which version this is; runs and exported models tell it."""

VERSION = "0.1.0"
