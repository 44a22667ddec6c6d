"""Answers as CSV, for people who open them in a spreadsheet."""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence

import azure.functions as func

from connorg.functions.http.answers import next_page

# What begins so is taken for a formula (OWASP, "CSV Injection"); a quote keeps it a text. So is,
# where a spreadsheet takes another character than the comma for the end of a cell, what stands
# behind that one. A cell that holds such a thing begins with a quote, by which the reader of files
# of partners knows that there are some to be taken off again (`cells.plain`).
_FORMULA = re.compile(r"""(?:\A|(?<=[;|\t\r\n]))(?=['"]*[=+\-@\t\r＝＋－＠])""")  # noqa: RUF001


def wants_csv(req: func.HttpRequest) -> bool:
    return "text/csv" in req.headers.get("accept", "").lower()


def csv_answer(
    columns: Sequence[str], rows: Iterable[Mapping[str, str]], headers: Mapping[str, str]
) -> func.HttpResponse:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _harmless(value) for name, value in row.items()})
    return func.HttpResponse(
        text.getvalue(), status_code=200, mimetype="text/csv", headers=dict(headers)
    )


def csv_page(
    columns: Sequence[str],
    rows: Iterable[Mapping[str, str]],
    continuation: str | None,
    route: str,
    req: func.HttpRequest,
) -> func.HttpResponse:
    """Answer with a page of a list; the address of the next one is in `Link`."""
    headers = {}
    if continuation is not None:
        headers["Link"] = f'<{next_page(continuation, route, req)}>; rel="next"'
    return csv_answer(columns, rows, headers)


def _harmless(cell: str) -> str:
    """Return a cell of which no part is a formula."""
    if not _FORMULA.search(cell):
        return cell
    quoted = _FORMULA.sub("'", cell)
    return quoted if _FORMULA.match(cell) else f"'{quoted}"
