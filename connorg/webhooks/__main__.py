"""What an event would become, for the author of a source's mapping.

Reads the same declaration as the app (CONNORG_WEBHOOK_SOURCES), no secret and no storage. Exit
codes: 0 it would be onboarded, 1 it has faults, 2 the declaration or the command is wrong, 3 it
does not count.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from connorg.settings import ConfigurationError, settings
from connorg.webhooks.mapping import Accepted, Ignored, Invalid, findings, read, why_not
from connorg.webhooks.proof import Delivery
from connorg.webhooks.senders import SETTING, Sender, load

WANTED, FAULTY, WRONG, PASSED_OVER = range(4)


def main(arguments: list[str] | None = None) -> int:
    chosen = options_of(arguments)
    try:
        sender = _sender(chosen.source)
        body = chosen.sample.read_bytes()
    except (ConfigurationError, OSError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return WRONG
    answer, code = _answer(sender, Delivery(dict(chosen.header), body))
    print(json.dumps(answer, indent=2, ensure_ascii=False))  # noqa: T201
    return code


def options_of(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m connorg.webhooks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    check = parser.add_subparsers(required=True).add_parser("check", help="read one sample event")
    check.add_argument("source", help="as the declaration names it")
    check.add_argument("sample", type=Path, help="a file with the body as the system sends it")
    check.add_argument(
        "--header",
        type=_header,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a header that comes with it, such as that of the delivery id; may be repeated",
    )
    return parser.parse_args(arguments)


def _header(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name.lower(), value


def _sender(name: str) -> Sender:
    senders = load(settings().webhook_senders)
    if name not in senders:
        declared = ", ".join(senders) or "none"
        raise ConfigurationError(f"{SETTING} declares no source {name}. Declared: {declared}.")
    return senders[name]


def _answer(sender: Sender, delivery: Delivery) -> tuple[dict[str, Any], int]:
    match read(sender, delivery):
        case Ignored() as ignored:
            because = why_not(sender, ignored.event)
            return {"counts": False, "because": because}, PASSED_OVER
        case Invalid() as refused:
            faults = [fault.model_dump() for fault in refused.faults or ()]
            answer = {
                "counts": True,
                "deliveryId": refused.delivery_id,
                "reference": refused.reference,
                "expressions": findings(sender, refused.event),
                "mapped": refused.body,
                "faults": faults or [{"pointer": "", "detail": str(refused.error)}],
            }
            return answer, FAULTY
        case Accepted() as wanted:
            request = wanted.request.model_dump(mode="json", exclude_none=True)
            answer = {
                "counts": True,
                "deliveryId": wanted.delivery_id,
                **({"note": wanted.note} if wanted.note else {}),
                "expressions": findings(sender, wanted.event),
                "request": request,
            }
            return answer, WANTED


if __name__ == "__main__":
    sys.exit(main())
