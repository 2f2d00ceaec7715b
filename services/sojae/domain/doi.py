"""DOIs as people write them, made bare: `https://doi.org/10.1000/182`, `DOI10.1000/182` and a publisher's address are one."""

import re
from urllib.parse import unquote

_DOI = re.compile(r"(?:^|[^0-9A-Za-z.]|doi\.?)(10\.\d{4,9}/[^\s\"]+)", re.IGNORECASE)
_ADDRESS = re.compile(r"https?://", re.IGNORECASE)
MAX_CHARACTERS = 2_048


def bare_doi(text: str) -> str | None:
    """Return the DOI that a text holds, bare as `10.1000/182`; None when it holds none.

    Read are the bare form, `doi:` and `DOI` with and without a colon, every address of a resolver, library or publisher
    that ends in the DOI, and what a wrong encoding left before it. A DOI's letters keep their case: it means nothing.
    """
    if len(text) > MAX_CHARACTERS:
        return None
    plain = text.strip()
    if _ADDRESS.search(plain):
        plain = unquote(re.split(r"[?#]", plain, maxsplit=1)[0])
    found = _DOI.search(plain)
    return None if found is None else found.group(1).rstrip(".,;")
