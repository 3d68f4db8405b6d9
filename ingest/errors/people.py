"""The users of a project that are to be erased, as events and errors know them."""

from ingest.identity import project_namespace
from ingest.scrubbing import is_distinct
from storage.error_groups.users import user_key
from storage.keeping.erasure import Person


def person_of(project_id: int, project: str, user_id: str) -> Person:
    key = user_key(project_namespace(project), user_id)
    return Person(project_id, project, user_id, key, is_distinct(user_id))
