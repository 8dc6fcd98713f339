"""How the tests share two processes: what is dear to set up is set up once."""

from collections.abc import Generator

import pytest


@pytest.hookimpl(wrapper=True)  # around the plugin that reads the groups, which would otherwise run before this
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Generator[None]:
    """Keep tests that share a night, or a database made by dbt, in one process.

    A fixture of a whole session or module is made anew in every process that needs it, and some of these fixtures are whole nights.
    """
    for item in items:
        if "complete_journey" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("complete_journey"))
        elif item.path.parent.name != "unit":
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
    yield
    # pytest-xdist writes the group behind the name of a test. Where it no longer can, every night is made twice and nobody is told.
    if getattr(config.option, "loadgroup", False) and not all(
        "@" in item.nodeid for item in items if item.get_closest_marker("xdist_group")
    ):
        raise pytest.UsageError("groups of tests are not kept: the releases of pytest and pytest-xdist do not go together")
