"""What the operator wrote: settings, where they come from, what is wrong with them."""
