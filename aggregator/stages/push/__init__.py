"""WebSub on both sides: hubs that deliver to us, hubs that we tell (docs/websub.md)."""
