"""Demonstration sites: a line, markers, zones and a base map, each with its notices."""
