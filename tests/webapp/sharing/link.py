"""A new link, as the dialog of a page asks for one."""

import re

from django.test import Client


def link_to(client: Client, runs: list[int], **more: str) -> str:
    """The path of a new link to `runs`."""
    body = {"runs": ",".join(map(str, runs)), "days": "7", **more}
    answer = client.post("/share/", body)
    assert answer.status_code == 201, answer.content
    found = re.search(r'value="http://testserver(/s/[\w-]+)"', answer.content.decode())
    assert found is not None
    return found.group(1)
