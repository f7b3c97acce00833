"""The paper again: what it trained, what it only supposed, and a report of what came out."""
