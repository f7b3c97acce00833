"""The docks, one user task each. They watch the session and ask the services."""
