"""One station: from observations to alerts on a guard's map."""
