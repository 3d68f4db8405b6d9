"""The data sets that `gateway import` loads; their events are recorded as any others."""

from typing import Any

from ingest.importers import (
    api_calls,
    catalogues,
    devlake,
    errors,
    govuk,
    lambda_perf,
    lrts,
    treeherder,
)
from ingest.importers.catalogues import Catalogue
from ingest.importers.facts import Events
from ingest.importers.importer import Imported, Importer, Options
from storage.dictionaries import upsert_template
from storage.dimensions import NETWORK, TEMPLATE

__all__ = ["IMPORTERS", "Imported", "Importer", "Options"]

IMPORTERS: dict[str, Importer[Any]] = {
    importer.name: importer
    for importer in (
        Catalogue(
            "templates",
            "the template catalogue of Dokploy",
            (catalogues.TEMPLATES,),
            catalogues.read_templates,
            TEMPLATE,
            upsert_template,
        ),
        Catalogue(
            "networks",
            "public chains, Metis among them",
            (catalogues.CHAINS,),
            catalogues.read_chains,
            NETWORK,
            catalogues.upsert_chain,
        ),
        Events(
            "govuk",
            "deployments of GOV.UK's applications, first half of 2025",
            (govuk.UPDATES, govuk.MERGES),
            govuk.read,
        ),
        Events(
            "devlake",
            "deployments on GitHub and Bitbucket that DevLake collected, 2023 to 2026",
            (devlake.GITHUB, devlake.GITHUB_GRAPHQL, devlake.BITBUCKET),
            devlake.read,
        ),
        Events(
            "lrts",
            "builds of nine Apache projects and their test stages, 2020 to 2023",
            (lrts.BUILDS,),
            lrts.read,
        ),
        Events(
            "treeherder",
            "builds and tests of Firefox, 13 November 2013",
            (treeherder.JOBS,),
            treeherder.read_jobs,
        ),
        Events(
            "taskcluster",
            "builds and tests of Firefox, 26 June 2019",
            (treeherder.TASKS, treeherder.MESSAGES),
            treeherder.read_tasks,
        ),
        Events(
            "lambda-perf",
            "cold starts of 584 functions on AWS Lambda, June 2025",
            (lambda_perf.DAYS,),
            lambda_perf.read,
        ),
        Events(
            "azure-llm",
            "calls of a language model on Azure, one hour of 2023",
            (api_calls.TRACE,),
            api_calls.read_azure,
        ),
        Events(
            "har",
            "calls of Treeherder's API that its tests recorded, 2021",
            (api_calls.RECORDINGS,),
            api_calls.read_har,
        ),
        Events(
            "apache",
            "requests to a web server, four days of 2015",
            (api_calls.LOG,),
            api_calls.read_apache,
        ),
        Events(
            "glitchtip",
            "errors as SDKs of Sentry send them, from GlitchTip's tests, 2020 to 2022",
            (errors.SDK_EVENTS,),
            errors.read_sdk_events,
        ),
        Events(
            "kafka",
            "warnings and errors of a Kafka broker, 19 December 2016",
            (errors.BROKER_LOGS,),
            errors.read_broker_logs,
        ),
    )
}
