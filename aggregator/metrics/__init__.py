"""What the daemon counts, for Prometheus. prometheus-client's only home."""
