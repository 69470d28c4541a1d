"""The settings as a tree that can be walked."""

from daemon.app.config.tree import find, walk


def test_every_table_and_key_is_walked_once() -> None:
    paths = [setting.path for setting in walk()]

    assert len(paths) == len(set(paths))
    assert ("alerts", "webhook", "url") in paths
    assert ("strategies", "*", "symbols") in paths
    assert ("sandbox", "pairs", "*", "price_start") in paths
    assert ("rules", "percent_fee") in paths


def test_a_setting_is_found_by_its_path() -> None:
    symbols = find(("strategies", 3, "symbols"))

    assert symbols is not None
    assert symbols.path == ("strategies", "*", "symbols")
    assert find(("rules", "nothing")) is None


def test_kinds_of_settings_are_told_apart() -> None:
    kinds = {setting.path: setting for setting in walk()}

    assert kinds["strategies",].is_list_of_tables
    assert not kinds["http",].is_list_of_tables
    assert kinds["exchange", "urls"].is_open_table
    assert kinds["exchange", "api_key"].is_secret
    assert kinds["exchange", "api_key_file"].holds == "api_key"
    assert kinds["alerts", "webhook", "url"].is_masked
    assert not kinds["alerts", "webhook", "url"].is_secret


def test_each_secret_has_a_key_that_names_its_file() -> None:
    held = {(*item.path[:-1], item.holds) for item in walk() if item.holds}

    assert held == {item.path for item in walk() if item.is_secret}
