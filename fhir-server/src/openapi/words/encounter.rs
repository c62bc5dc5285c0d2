//! Words on `Encounter` (<https://hl7.org/fhir/R4/encounter.html>).

use super::Words;

pub(super) const WORDS: &[Words] = &[
    (
        "Encounter",
        "A contact between a patient and those who care for them: a visit, a stay, a call.",
    ),
    (
        "Encounter.id",
        "The server's name for this resource, part of its URL.",
    ),
    ("Encounter.language", "The language this resource is written in."),
    ("Encounter.text", "A summary for people, as XHTML."),
    (
        "Encounter.identifier",
        "Numbers by which other systems know it, such as a visit or spell number.",
    ),
    (
        "Encounter.status",
        "Where it stands: planned, under way, finished, cancelled.",
    ),
    ("Encounter.statusHistory", "Earlier statuses, and when they held."),
    (
        "Encounter.class",
        "The setting: ambulatory, inpatient, emergency, virtual and so on.",
    ),
    ("Encounter.classHistory", "Earlier settings, and when they held."),
    ("Encounter.type", "What kind of contact it was."),
    (
        "Encounter.serviceType",
        "The service that gave the care, such as cardiology.",
    ),
    ("Encounter.priority", "How urgent it was."),
    ("Encounter.subject", "The patient."),
    ("Encounter.episodeOfCare", "The episodes of care it belongs to."),
    ("Encounter.basedOn", "The referrals or requests that led to it."),
    (
        "Encounter.participant",
        "Those who took part, other than the patient.",
    ),
    (
        "Encounter.appointment",
        "The appointments at which it took place.",
    ),
    (
        "Encounter.period",
        "When it began and ended; no end while it goes on.",
    ),
    (
        "Encounter.length",
        "How long it took, without the time that it was suspended.",
    ),
    ("Encounter.reasonCode", "Why it took place, as codes or words."),
    (
        "Encounter.reasonReference",
        "Why it took place, as records of their own.",
    ),
    (
        "Encounter.diagnosis",
        "The diagnoses that matter for it, with their part in it.",
    ),
    ("Encounter.account", "Accounts that bear the cost."),
    ("Encounter.hospitalization", "Admission and discharge."),
    (
        "Encounter.location",
        "Where it took place, and when the patient was there.",
    ),
    (
        "Encounter.serviceProvider",
        "The organisation that answers for it.",
    ),
    ("Encounter.partOf", "The encounter that this one is a part of."),
    ("Encounter.statusHistory.status", "The status."),
    ("Encounter.statusHistory.period", "When it held."),
    ("Encounter.classHistory.class", "The setting."),
    ("Encounter.classHistory.period", "When it held."),
    (
        "Encounter.participant.type",
        "Their part in it, such as primary performer.",
    ),
    ("Encounter.participant.period", "When they took part."),
    ("Encounter.participant.individual", "Who it was."),
    ("Encounter.diagnosis.condition", "The diagnosis, or a procedure."),
    (
        "Encounter.diagnosis.use",
        "Its part in the encounter: admission, discharge, billing.",
    ),
    (
        "Encounter.diagnosis.rank",
        "Its rank among those with the same part; 1 comes first.",
    ),
    (
        "Encounter.hospitalization.preAdmissionIdentifier",
        "A number given before the admission.",
    ),
    ("Encounter.hospitalization.origin", "Where the patient came from."),
    (
        "Encounter.hospitalization.admitSource",
        "The kind of place they came from.",
    ),
    (
        "Encounter.hospitalization.reAdmission",
        "That it is an admission again.",
    ),
    (
        "Encounter.hospitalization.dietPreference",
        "What the patient eats or does not eat.",
    ),
    (
        "Encounter.hospitalization.specialCourtesy",
        "Courtesies that the patient is due.",
    ),
    (
        "Encounter.hospitalization.specialArrangement",
        "What had to be arranged, such as a wheelchair or an interpreter.",
    ),
    ("Encounter.hospitalization.destination", "Where the patient went."),
    (
        "Encounter.hospitalization.dischargeDisposition",
        "The kind of place they went to.",
    ),
    ("Encounter.location.location", "The place."),
    (
        "Encounter.location.status",
        "Whether the patient is, was or will be there.",
    ),
    (
        "Encounter.location.physicalType",
        "What kind of place is meant: ward, room, bed.",
    ),
    ("Encounter.location.period", "When the patient was there."),
];
