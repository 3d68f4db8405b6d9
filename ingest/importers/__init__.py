"""The data sets that `gateway import` loads; their events are recorded as any others."""

from typing import Any

from ingest.importers import catalogues, devlake, govuk
from ingest.importers.catalogues import Catalogue
from ingest.importers.deployments import Deployments
from ingest.importers.importer import Imported, Importer, Options
from storage.dimensions import Dictionary, upsert_template

__all__ = ["IMPORTERS", "Imported", "Importer", "Options"]

IMPORTERS: dict[str, Importer[Any]] = {
    importer.name: importer
    for importer in (
        Catalogue(
            "templates",
            "the template catalogue of Dokploy",
            (catalogues.TEMPLATES,),
            catalogues.read_templates,
            Dictionary.TEMPLATE,
            upsert_template,
        ),
        Catalogue(
            "networks",
            "public chains, Metis among them",
            (catalogues.CHAINS,),
            catalogues.read_chains,
            Dictionary.NETWORK,
            catalogues.upsert_chain,
        ),
        Deployments(
            "govuk",
            "deployments of GOV.UK's applications, first half of 2025",
            (govuk.UPDATES, govuk.MERGES),
            govuk.read,
        ),
        Deployments(
            "devlake",
            "deployments on GitHub and Bitbucket that DevLake collected, 2023 to 2026",
            (devlake.GITHUB, devlake.GITHUB_GRAPHQL, devlake.BITBUCKET),
            devlake.read,
        ),
    )
}
