"""fhirclient of SMART Health IT (https://github.com/smart-on-fhir/client-py) as its users use it: create, read, update, search with
paging and includes, batch, delete."""

import sys

import fhirclient.models.bundle as bundle
import fhirclient.models.encounter as encounter
import fhirclient.models.humanname as humanname
import fhirclient.models.patient as patient
from fhirclient import client

FAMILY = "Smartsdottir"


def connect(base):
    smart = client.FHIRClient(settings={"app_id": "tests", "api_base": base})
    smart.prepare()  # reads the CapabilityStatement
    return smart.server


def write_and_read(server, number):
    name = humanname.HumanName({"family": FAMILY, "given": [f"Number{number}"]})
    made = patient.Patient({"active": True})
    made.name = [name]
    answer = made.create(server)
    read = patient.Patient.read(answer["id"], server)
    assert read.name[0].family == FAMILY and read.active is True, read.as_json()
    read.gender = "female"
    read.update(server)
    again = patient.Patient.read(read.id, server)
    assert again.gender == "female" and again.meta.versionId == "2", again.as_json()
    return again


def search(server, people):
    asked = patient.Patient.where(struct={"family": FAMILY, "_count": "2", "_sort": "_id"})
    ids = [one.id for one in asked.perform_resources_iter(server)]  # follows the links
    assert ids == sorted(one.id for one in people), ids
    visit = encounter.Encounter(
        {
            "status": "finished",
            "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
            "subject": {"reference": f"Patient/{people[0].id}"},
        }
    )
    visit.create(server)
    visits = encounter.Encounter.where(struct={"patient.family": FAMILY}).include("subject")
    types = sorted(one.resource_type for one in visits.perform_resources(server))
    assert types == ["Encounter", "Patient"], types


def batch(server, one):
    asked = bundle.Bundle({"type": "batch", "entry": [{"request": {"method": "GET", "url": f"Patient/{one.id}"}}]})
    answer = bundle.Bundle(server.post_json("", asked.as_json()).json())
    assert answer.type == "batch-response" and answer.entry[0].resource.id == one.id, answer.as_json()


if __name__ == "__main__":
    fhir = connect(sys.argv[1])
    everyone = [write_and_read(fhir, number) for number in range(5)]
    search(fhir, everyone)
    batch(fhir, everyone[0])
    everyone[4].delete(fhir)
    left = patient.Patient.where(struct={"family": FAMILY}).perform(fhir)
    assert left.total == 4, left.as_json()
    print("fhirclient: all well")
