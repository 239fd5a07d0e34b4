"""The mathematics both ends share: frames, lens, terrain and the oriented line."""
