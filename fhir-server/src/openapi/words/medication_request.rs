//! Words on `MedicationRequest` (<https://hl7.org/fhir/R4/medicationrequest.html>).

use super::Words;

pub(super) const WORDS: &[Words] = &[
    (
        "MedicationRequest",
        "A prescription item: one medicine for one patient, and how to take it.",
    ),
    (
        "MedicationRequest.id",
        "The server's name for this resource, part of its URL.",
    ),
    (
        "MedicationRequest.language",
        "The language this resource is written in.",
    ),
    ("MedicationRequest.text", "A summary for people, as XHTML."),
    (
        "MedicationRequest.identifier",
        "Numbers of the item, such as the UUID that the prescription service knows it by.",
    ),
    (
        "MedicationRequest.status",
        "Whether it is in force: active, on hold, stopped, completed. Never act on one that is not active.",
    ),
    ("MedicationRequest.statusReason", "Why it has that status."),
    (
        "MedicationRequest.intent",
        "How firm it is: a proposal, a plan or an order. Only orders are to be dispensed.",
    ),
    (
        "MedicationRequest.category",
        "Where it applies: community, inpatient, outpatient, discharge.",
    ),
    ("MedicationRequest.priority", "How urgent it is."),
    (
        "MedicationRequest.doNotPerform",
        "True turns it into its opposite: the medicine must not be given.",
    ),
    (
        "MedicationRequest.reported[x]",
        "That it was told by someone rather than written by the prescriber, or by whom.",
    ),
    (
        "MedicationRequest.medication[x]",
        "The medicine: a code (dm+d, SNOMED CT) or words, or a `Medication` of its own.",
    ),
    ("MedicationRequest.subject", "The patient."),
    (
        "MedicationRequest.encounter",
        "The contact at which it was written.",
    ),
    (
        "MedicationRequest.supportingInformation",
        "What the pharmacist or nurse should know as well, such as a weight.",
    ),
    ("MedicationRequest.authoredOn", "When it was written."),
    (
        "MedicationRequest.requester",
        "Who prescribed it and answers for it.",
    ),
    ("MedicationRequest.performer", "Who is to give it."),
    (
        "MedicationRequest.performerType",
        "What kind of person is to give it.",
    ),
    ("MedicationRequest.recorder", "Who entered it for the prescriber."),
    (
        "MedicationRequest.reasonCode",
        "What it is for, as codes or words.",
    ),
    (
        "MedicationRequest.reasonReference",
        "What it is for, as records of their own.",
    ),
    (
        "MedicationRequest.instantiatesCanonical",
        "Protocols in FHIR that it follows.",
    ),
    (
        "MedicationRequest.instantiatesUri",
        "Protocols elsewhere that it follows.",
    ),
    ("MedicationRequest.basedOn", "Plans or requests that it fulfils."),
    (
        "MedicationRequest.groupIdentifier",
        "The number that all items of one prescription share.",
    ),
    (
        "MedicationRequest.courseOfTherapyType",
        "Acute, continuous, repeat dispensing and so on.",
    ),
    ("MedicationRequest.insurance", "Who pays."),
    ("MedicationRequest.note", "Remarks that belong nowhere else."),
    (
        "MedicationRequest.dosageInstruction",
        "How to take it. `text` is what the label says.",
    ),
    (
        "MedicationRequest.dispenseRequest",
        "How much to supply, how often, and by whom.",
    ),
    (
        "MedicationRequest.substitution",
        "Whether another product may be supplied.",
    ),
    (
        "MedicationRequest.priorPrescription",
        "The prescription that this one replaces.",
    ),
    (
        "MedicationRequest.detectedIssue",
        "Dangers that were found, such as an interaction.",
    ),
    (
        "MedicationRequest.eventHistory",
        "What happened to it, as records of their own.",
    ),
    (
        "MedicationRequest.dispenseRequest.initialFill",
        "The first supply, where it differs.",
    ),
    (
        "MedicationRequest.dispenseRequest.dispenseInterval",
        "The least time between supplies.",
    ),
    (
        "MedicationRequest.dispenseRequest.validityPeriod",
        "When it may be dispensed.",
    ),
    (
        "MedicationRequest.dispenseRequest.numberOfRepeatsAllowed",
        "Supplies after the first; 0 means the first only.",
    ),
    (
        "MedicationRequest.dispenseRequest.quantity",
        "How much to supply each time.",
    ),
    (
        "MedicationRequest.dispenseRequest.expectedSupplyDuration",
        "How long a supply should last.",
    ),
    (
        "MedicationRequest.dispenseRequest.performer",
        "The pharmacy that the patient nominated.",
    ),
    (
        "MedicationRequest.dispenseRequest.initialFill.quantity",
        "How much to supply the first time.",
    ),
    (
        "MedicationRequest.dispenseRequest.initialFill.duration",
        "How long the first supply should last.",
    ),
    (
        "MedicationRequest.substitution.allowed[x]",
        "Whether, or in what way, another product may be supplied.",
    ),
    ("MedicationRequest.substitution.reason", "Why it may or may not."),
];
