"""The one thread that runs torch, and how work reaches it."""
