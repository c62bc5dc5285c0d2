//! Words on `Patient` (<https://hl7.org/fhir/R4/patient.html>).

use super::Words;

pub(super) const WORDS: &[Words] = &[
    ("Patient", "A person who receives care, or is registered to."),
    (
        "Patient.id",
        "The server's name for this resource, part of its URL.",
    ),
    (
        "Patient.language",
        "The language this resource is written in; not the patient's own (see `communication`).",
    ),
    ("Patient.text", "A summary for people, as XHTML."),
    (
        "Patient.identifier",
        "Numbers that name the patient, such as the NHS number (system `https://fhir.nhs.uk/Id/nhs-number`) or a hospital number.",
    ),
    (
        "Patient.active",
        "Whether this record is in use; false for one that was made in error or replaced.",
    ),
    ("Patient.name", "Names in use now and before; `use` tells which."),
    ("Patient.telecom", "Telephone numbers and e-mail addresses."),
    (
        "Patient.gender",
        "Gender for administration; not birth sex, which is an extension.",
    ),
    (
        "Patient.birthDate",
        "Date of birth; the year, or year and month, where that is all that is known.",
    ),
    ("Patient.deceased[x]", "That the patient died, or when."),
    ("Patient.address", "Home, temporary and former addresses."),
    ("Patient.maritalStatus", "Marital or civil status."),
    (
        "Patient.multipleBirth[x]",
        "Born as one of several, or which one of them.",
    ),
    ("Patient.photo", "Pictures of the patient."),
    (
        "Patient.contact",
        "People or organisations to contact about the patient, such as next of kin.",
    ),
    (
        "Patient.communication",
        "Languages in which to speak with the patient, and which one they prefer.",
    ),
    (
        "Patient.generalPractitioner",
        "The GP or practice where the patient is registered.",
    ),
    (
        "Patient.managingOrganization",
        "The organisation that keeps this record.",
    ),
    (
        "Patient.link",
        "Other records of the same person, and whether one replaces the other.",
    ),
    (
        "Patient.contact.relationship",
        "How they stand to the patient: next of kin, parent, carer.",
    ),
    ("Patient.contact.name", "Their name."),
    ("Patient.contact.telecom", "How to reach them."),
    ("Patient.contact.address", "Where they live or work."),
    ("Patient.contact.gender", "Their gender."),
    (
        "Patient.contact.organization",
        "The organisation, where the contact is one or acts for one.",
    ),
    (
        "Patient.contact.period",
        "When they may be contacted about the patient.",
    ),
    (
        "Patient.communication.language",
        "The language, as a BCP 47 tag such as `en` or `cy`.",
    ),
    (
        "Patient.communication.preferred",
        "Whether this language is preferred.",
    ),
    ("Patient.link.other", "The other record."),
    (
        "Patient.link.type",
        "How the two stand to each other; `replaced-by` means: use the other one.",
    ),
];
