"""Items, authors, sightings, raw pages and search."""
