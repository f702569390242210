"""Pictures and outlines that lie beside bags, for people to look at; no bag depends on them."""

GEOJSON, PICTURE = ".tissue.geojson", ".tissue.jpg"
BESIDE = (GEOJSON, PICTURE)
"""Endings of what lies beside a bag under its key."""
FIDELITY = "engine.json"
"""How the vectors of a store whose encoder is not computed exactly lie to exact ones."""
REFUSED = "refused"
"""Folder of pictures of images that gave no bag: `refused/<key>.jpg`."""
