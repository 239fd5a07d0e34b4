"""The contract: messages, topics, codec and signatures that travel between node and station."""
