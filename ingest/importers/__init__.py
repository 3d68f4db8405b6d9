"""Real data sets, read from files and recorded the way every event is: `gateway import`."""

from ingest.importers import chains, devlake, dokploy, govuk
from ingest.importers.catalogues import (
    Catalogue,
    network_name,
    provision_network,
    provision_template,
    template_slug,
)
from ingest.importers.deployments import Deployments
from ingest.importers.importer import Imported, Importer, Options
from storage.dimensions import Dictionary

__all__ = ["IMPORTERS", "Imported", "Importer", "Options"]

_ALL = (
    Importer(
        "templates",
        "the template catalogue of Dokploy",
        (dokploy.FILE,),
        Catalogue(dokploy.read, Dictionary.TEMPLATE, template_slug, provision_template).load,
    ),
    Importer(
        "networks",
        "public chains, Metis among them",
        (chains.FILE,),
        Catalogue(chains.read, Dictionary.NETWORK, network_name, provision_network).load,
    ),
    Importer(
        "govuk",
        "deployments of GOV.UK's applications, first half of 2025",
        (govuk.UPDATES, govuk.MERGES),
        Deployments(govuk.read).load,
    ),
    Importer(
        "devlake",
        "deployments on GitHub and Bitbucket that DevLake collected, 2023 to 2026",
        (devlake.GITHUB, devlake.GITHUB_GRAPHQL, devlake.BITBUCKET),
        Deployments(devlake.read).load,
    ),
)

IMPORTERS: dict[str, Importer] = {importer.name: importer for importer in _ALL}
