"""The data sets that `gateway import` loads; their events are recorded as any others."""

from ingest.importers import chains, devlake, dokploy, govuk
from ingest.importers.catalogues import Catalogue
from ingest.importers.deployments import Deployments
from ingest.importers.importer import Imported, Importer, Options
from storage.dimensions import Dictionary, upsert_template

__all__ = ["IMPORTERS", "Imported", "Importer", "Options"]

IMPORTERS = {
    importer.name: importer
    for importer in (
        Importer(
            "templates",
            "the template catalogue of Dokploy",
            (dokploy.FILE,),
            Catalogue(dokploy.read, Dictionary.TEMPLATE, upsert_template).load,
        ),
        Importer(
            "networks",
            "public chains, Metis among them",
            (chains.FILE,),
            Catalogue(chains.read, Dictionary.NETWORK, chains.upsert_chain).load,
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
}
