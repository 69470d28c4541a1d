"""How variables become settings: pydantic-settings' own source, on a mapping that is handed in."""

from collections.abc import Mapping
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsConfigDict

from daemon.app.config.settings import ENV_DELIMITER, ENV_PREFIX, Config


class _Settings(Config, BaseSettings):
    """The settings as pydantic-settings wants them; none is ever made."""

    # The tables are strict: the source then gives each text the type of its setting.
    model_config = SettingsConfigDict(  # type: ignore[mutable-override]  # of two bases, this one's
        env_prefix=ENV_PREFIX, env_nested_delimiter=ENV_DELIMITER, strict=True
    )


class EnvironmentSource(EnvSettingsSource):
    """Reads the variables that are settings.

    A list may be written as JSON or as `a,b`. What cannot be read is left as text, so that the
    check of all values tells it with the rest.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        super().__init__(_Settings)
        self.env_vars = {name.lower(): value for name, value in environ.items()}

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> object:  # noqa: ANN401 - the base class says so
        """Return a list or table; a text that is neither is split at commas or left alone."""
        try:
            return super().decode_complex_value(field_name, field, value)
        except ValueError:
            if "{" in value or "[" in value or not value.strip():
                return value
            return [item.strip() for item in value.split(",")]
