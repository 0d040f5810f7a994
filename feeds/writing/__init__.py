"""What goes out: Atom, RSS, JSON Feed and OPML documents. Knows no server."""
