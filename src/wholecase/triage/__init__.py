"""A patch model slides over whole slides: maps, areas, and slides ranked by risk."""
