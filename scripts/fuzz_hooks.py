"""What schemathesis does not know by itself: a body of lines is a text, and is sent as it was made."""

import schemathesis

LINES = "application/x-ndjson"


@schemathesis.serializer(LINES)
def lines(_context, value):
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


@schemathesis.hook
def filter_case(_context, case):
    """Nothing but a text can be sent as one: what it makes of numbers and objects to be refused would be texts too."""
    return case.media_type != LINES or not isinstance(case.body, (bool, int, float, list, dict, type(None)))
