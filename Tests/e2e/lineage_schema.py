"""A JSON Schema of OpenLineage's run events, made of the official Python client's classes.

The client carries the specification as classes generated from it, not as JSON Schema files. Their fields, types and defaults say all that the
files say of a run event but for formats, which are known by the fields' names. Here everything that no class knows is refused, also where
the specification would let it pass.
"""

import datetime
import enum
import re
import typing
import uuid

import attr
import jsonschema
from openlineage.client import event_v2, facet_v2
from openlineage.client.generated import base

# The key that the specification gives a facet → its class.
FACETS = {
    base.RunFacet: {"processing_engine": facet_v2.processing_engine_run.ProcessingEngineRunFacet,
                    "errorMessage": facet_v2.error_message_run.ErrorMessageRunFacet},
    base.JobFacet: {"jobType": facet_v2.job_type_job.JobTypeJobFacet},
    base.DatasetFacet: {"schema": facet_v2.schema_dataset.SchemaDatasetFacet,
                        "version": facet_v2.dataset_version_dataset.DatasetVersionDatasetFacet},
    base.InputDatasetFacet: {"inputStatistics": facet_v2.input_statistics_input_dataset.InputStatisticsInputDatasetFacet},
    base.OutputDatasetFacet: {"outputStatistics": facet_v2.output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet},
}  # fmt: skip
FORMATS = {"runId": "uuid", "eventTime": "date-time", "producer": "uri", "_producer": "uri", "schemaURL": "uri", "_schemaURL": "uri"}
# A facet must have them, though the classes fill them in.
ALWAYS = ("producer", "schemaURL", "_producer", "_schemaURL")
PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean"}

NO_TEXT_OF_ITS_FORM = (ValueError, TypeError, AttributeError)

formats = jsonschema.FormatChecker(())


@formats.checks("uuid", NO_TEXT_OF_ITS_FORM)
def is_uuid(text):
    return str(uuid.UUID(text)) == text


@formats.checks("date-time", NO_TEXT_OF_ITS_FORM)
def is_date_time(text):
    return re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", text) and bool(datetime.datetime.fromisoformat(text))


@formats.checks("uri", NO_TEXT_OF_ITS_FORM)
def is_uri(text):
    return bool(re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*:(?:[A-Za-z0-9:/?#\[\]@!$&'()*+,;=._~-]|%[0-9A-Fa-f]{2})+", text))


def _of_type(kind):
    parts = [part for part in typing.get_args(kind) if part is not type(None)]
    if typing.get_origin(kind) is list:
        return {"type": "array", "items": _of_type(parts[0])}
    if typing.get_origin(kind) is dict:
        known = FACETS[parts[1]]
        assert all(issubclass(facet, parts[1]) for facet in known.values())
        return {"type": "object", "additionalProperties": False, "properties": {key: of_class(facet) for key, facet in known.items()}}
    if parts:  # X | None: the member may be left out, and is no null when it is there
        assert len(parts) == 1, kind
        return _of_type(parts[0])
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return {"enum": [one.value for one in kind]}
    return of_class(kind) if attr.has(kind) else {"type": PLAIN[kind]}


def of_class(kind):
    """The schema of a class: its own members, each of its type; those without a default are required."""
    hints = typing.get_type_hints(kind)
    properties, required = {}, []
    for field in attr.fields(kind):
        if kind is facet_v2.schema_dataset.SchemaDatasetFacetFields and field.name == "fields":
            continue  # nested fields, which cogni's tables do not have
        properties[field.name] = _of_type(hints[field.name])
        if field.name in FORMATS:
            properties[field.name]["format"] = FORMATS[field.name]
        if field.default is attr.NOTHING or field.name in ALWAYS:
            required.append(field.name)
    for name in ("schemaURL", "_schemaURL"):
        if name in properties:
            properties[name]["const"] = kind._get_schema()
    return {"type": "object", "additionalProperties": False, "properties": properties, "required": required}


RUN_EVENT = of_class(event_v2.RunEvent)
RUN_EVENT["required"].append("eventType")  # the class leaves it out of events that are no change of state; cogni sends none of those
_validator = jsonschema.Draft202012Validator(RUN_EVENT, format_checker=formats)


def breaches(event):
    """What of an event is not as the specification says: place and reason."""
    return [f"{error.json_path}: {error.message}" for error in _validator.iter_errors(event)]
