"""The rules of the core and their settings are the same, by name and by default."""

from dataclasses import asdict, fields

from daemon.app.config.rules_section import RulesSection
from daemon.app.config.tree import fields_of
from daemon.core.rules import Rules


def test_the_section_is_the_core_s_rules_with_the_same_defaults() -> None:
    section = RulesSection()

    assert isinstance(section, Rules)
    assert asdict(section) == asdict(Rules())


def test_each_rule_is_a_setting_with_a_description() -> None:
    settings = fields_of(RulesSection)

    assert list(settings) == [field.name for field in fields(Rules)]
    assert all(setting.description for setting in settings.values())


def test_each_number_of_the_rules_has_bounds() -> None:
    for name, setting in fields_of(RulesSection).items():
        if setting.annotation in {int, float}:
            bounds = {attribute for item in setting.metadata for attribute in vars_of(item)}
            assert bounds & {"ge", "gt"}, name
            assert bounds & {"le", "lt"}, name


def vars_of(item: object) -> set[str]:
    return {name for name in ("ge", "gt", "le", "lt") if hasattr(item, name)}


def test_the_rules_count_in_the_units_that_the_core_expects() -> None:
    assert RulesSection(schedule_await_minutes=2).schedule_await_ms == 120_000
