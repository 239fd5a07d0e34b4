"""The world at the other end of the cable: sites, actors, film, vehicles, faults and scores."""
