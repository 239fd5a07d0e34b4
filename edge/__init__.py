"""One node: from pixels to observations that the station has confirmed."""
