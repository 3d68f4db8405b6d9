"""The gateway of `make run`, started once for all clients, and what they are to be told by it."""

import asyncio
from collections.abc import Iterator

import pytest

from tests.clients import node, product
from tests.clients.product import Expected, Product


@pytest.fixture(scope="session")
def packages() -> None:
    node.install()


@pytest.fixture(scope="package")
def gateway() -> Iterator[Product]:
    with product.made_run() as made:
        yield made


@pytest.fixture(scope="package")
def expected(gateway: Product) -> Expected:
    return asyncio.run(product.expected(gateway.database_url))
