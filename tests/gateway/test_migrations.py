"""Migrations run from nothing, come back, and describe the declared tables exactly."""

from gateway import migrations
from tests.servers import Databases


def test_migrations_match_the_declared_tables(own_database_url: str) -> None:
    migrations.check(own_database_url)


def test_migrations_go_up_down_and_up_again(databases: Databases) -> None:
    with databases.fresh(empty=True) as url:
        migrations.upgrade(url)
        migrations.downgrade(url)
        migrations.upgrade(url)
        migrations.check(url)


def test_migrating_twice_changes_nothing(own_database_url: str) -> None:
    migrations.upgrade(own_database_url)
    migrations.check(own_database_url)
