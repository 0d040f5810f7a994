"""The application: what happens, when, and why."""
