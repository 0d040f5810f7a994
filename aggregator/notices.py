"""What an operator must see to: shown wherever one looks, gone when it is mended."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Notices:
    """Standing problems by what they are about, in words."""

    _standing: dict[str, str] = field(default_factory=dict)

    def tell(self, about: str, text: str) -> bool:
        """There is a problem; whether that is news."""
        known = self._standing.get(about) == text
        self._standing[about] = text
        return not known

    def clear(self, about: str) -> bool:
        """There is none now; whether that is news."""
        return self._standing.pop(about, None) is not None

    def standing(self) -> dict[str, str]:
        """All of them."""
        return dict(self._standing)
