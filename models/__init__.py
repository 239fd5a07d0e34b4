"""Detector networks: manifest, cards, registry, training, export and evaluation."""
