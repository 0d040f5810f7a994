"""The daemon's own web server: merged feeds, a front page, health, hubs' callbacks."""
