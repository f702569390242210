"""Parts for wholecase that are not its own."""
