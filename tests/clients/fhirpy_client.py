"""fhirpy (https://github.com/beda-software/fhir-py) as its users use it: create, read, update, patch, search with paging, batch, delete."""

import sys

from fhirpy import SyncFHIRClient
from fhirpy.base.exceptions import OperationOutcome, ResourceNotFound

FAMILY = "Fhirpysson"
SYSTEM = "https://example.org/fhirpy"


def patient(client, number):
    return client.resource(
        "Patient",
        identifier=[{"system": SYSTEM, "value": str(number)}],
        name=[{"family": FAMILY, "given": [f"Number{number}"]}],
        birthDate=f"19{40 + number}-03-0{1 + number}",
    )


def write_and_read(client):
    made = patient(client, 0)
    made.save()
    assert made.id and made["meta"]["versionId"] == "1", made
    read = client.reference("Patient", made.id).to_resource()
    assert read["birthDate"] == "1940-03-01", read
    read["birthDate"] = "1940-03-02"
    read.save()
    assert read["meta"]["versionId"] == "2", read
    read["active"] = True
    read.save()
    again = client.resources("Patient").search(_id=made.id).get()
    assert again["active"] is True and again["birthDate"] == "1940-03-02", again
    return again


def patch(client, made):
    patched = client.patch("Patient", made.id, active=False, birthDate=None)
    assert patched["active"] is False and "birthDate" not in patched, patched
    made.patch(birthDate="1940-03-02", active=True)
    again = client.reference("Patient", made.id).to_resource()
    assert again["birthDate"] == "1940-03-02" and again["name"][0]["family"] == FAMILY, again
    again["gender"] = "female"
    again.save(fields=["gender"])
    assert client.reference("Patient", made.id).to_resource()["gender"] == "female"


def search(client):
    for number in range(1, 8):
        patient(client, number).save()
    everyone = client.resources("Patient").search(family=FAMILY)
    assert everyone.count() == 8, everyone.count()
    pages = everyone.limit(3).sort("-birthdate")
    dates = [one["birthDate"] for one in pages]  # follows the links
    assert len(dates) == 8 and dates == sorted(dates, reverse=True), dates
    young = client.resources("Patient").search(family=FAMILY, birthdate__ge="1945-01-01").fetch_all()
    assert len(young) == 3, young
    one = client.resources("Patient").search(identifier=f"{SYSTEM}|4").get()
    assert one["name"][0]["given"] == ["Number4"], one
    return one


def joins(client, subject):
    client.resource(
        "Observation",
        status="final",
        code={"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
        subject=subject.to_reference(),
        valueQuantity={"value": 64, "unit": "/min", "system": "http://unitsofmeasure.org", "code": "/min"},
    ).save()
    rates = client.resources("Observation").search(subject__Patient__family=FAMILY).include("Observation", "subject")
    bundle = rates.fetch_raw()
    types = sorted(entry["resource"]["resourceType"] for entry in bundle["entry"])
    assert types == ["Observation", "Patient"], types
    measured = client.resources("Patient").search(family=FAMILY).has("Observation", "subject", code="8867-4").fetch()
    assert [one.id for one in measured] == [subject.id], measured


def batch(client):
    bundle = client.resource("Bundle", type="batch")
    bundle["entry"] = [
        {"request": {"method": "GET", "url": f"Patient?family={FAMILY}&_count=1"}},
        {"request": {"method": "GET", "url": "Patient/there-is-no-such-patient"}},
    ]
    answer = client.execute("", method="post", data=bundle.serialize())
    statuses = [entry["response"]["status"][:3] for entry in answer["entry"]]
    assert statuses == ["200", "404"], statuses


def errors(client, gone):
    gone.delete()
    try:
        client.reference("Patient", gone.id).to_resource()
        raise AssertionError("a deleted patient was read")
    except (ResourceNotFound, OperationOutcome):
        pass
    try:
        client.resource("Patient", birthDate="yesterday").save()
        raise AssertionError("a date that is none was taken")
    except OperationOutcome as refused:
        assert "birthDate" in str(refused), refused


if __name__ == "__main__":
    server = SyncFHIRClient(sys.argv[1])
    first = write_and_read(server)
    patch(server, first)
    found = search(server)
    joins(server, found)
    batch(server)
    errors(server, first)
    print("fhirpy: all well")
