"""What part of the organisation a person sees: the province sees all, a city its own."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Scope:
    """A unit's view. `city_code` is None for the province; a county sees as its city does, narrowed elsewhere."""

    city_code: str | None = None

    @property
    def is_province(self) -> bool:
        """Whether everything is seen."""
        return self.city_code is None


PROVINCE = Scope()
