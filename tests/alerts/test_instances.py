"""The keys of instances: readable, and short enough for an index."""

from alerts.instances import LONGEST_NAME, instance_name


def test_a_group_is_readable() -> None:
    assert instance_name({}) == ""
    assert instance_name({"network": "metis", "environment": "a b"}) == (
        "environment=a%20b&network=metis"
    )


def test_long_names_stay_apart_and_fit_an_index() -> None:
    long = dict.fromkeys(("service", "function", "environment"), "ü" * 200)
    names = {instance_name(long), instance_name({**long, "service": "ü" * 199 + "u"})}
    assert len(names) == 2
    assert {len(name) for name in names} == {LONGEST_NAME}
