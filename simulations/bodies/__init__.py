"""Bodies of every kind of actor: people, what they ride and row, animals."""
