"""The list of commands in the order in which somebody needs them, not in that of the alphabet."""

import click

SECTIONS = {
    "Begin": ("demo", "init", "check", "sources", "rules"),
    "Run": ("run", "update", "render"),
    "Look": ("status", "log", "poll", "doctor", "extract"),
    "Stories": ("explain", "story", "corrections", "refold"),
    "Database": ("backup", "restore", "migrate-to"),
    "Matcher": ("fold", "evaluate", "train"),
}


class InSections(click.Group):
    """A group whose help lists its commands in ``SECTIONS``; others, if any, come last."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list into the help."""
        listed = {name for names in SECTIONS.values() for name in names}
        others = tuple(name for name in self.list_commands(ctx) if name not in listed)
        limit = formatter.width - 6 - max(map(len, self.commands))
        for section, names in {**SECTIONS, "Others": others}.items():
            rows = [
                (name, self.commands[name].get_short_help_str(limit))
                for name in names
                if name in self.commands
            ]
            if rows:
                with formatter.section(section):
                    formatter.write_dl(rows)
