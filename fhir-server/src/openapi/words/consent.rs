//! Words on `Consent` (<https://hl7.org/fhir/R4/consent.html>).

use super::Words;

pub(super) const WORDS: &[Words] = &[
    (
        "Consent",
        "What a patient allows or refuses: sharing, treatment, research or care in advance.",
    ),
    (
        "Consent.id",
        "The server's name for this resource, part of its URL.",
    ),
    ("Consent.language", "The language this resource is written in."),
    ("Consent.text", "A summary for people, as XHTML."),
    ("Consent.identifier", "Numbers by which other systems know it."),
    ("Consent.status", "Whether it is in force: only an active one is."),
    (
        "Consent.scope",
        "What it is about: privacy, treatment, research or care in advance.",
    ),
    ("Consent.category", "What kind of document it is."),
    ("Consent.patient", "Whose consent it is."),
    ("Consent.dateTime", "When it was given."),
    (
        "Consent.performer",
        "Who gave it: the patient, or who may speak for them.",
    ),
    (
        "Consent.organization",
        "The organisation that keeps it and acts by it.",
    ),
    ("Consent.source[x]", "The form that was signed, or where it is."),
    (
        "Consent.policy",
        "The policies that it refers to, by their address.",
    ),
    (
        "Consent.policyRule",
        "The policy that holds where the provisions say nothing, such as opt-in.",
    ),
    (
        "Consent.verification",
        "Whether it was checked with the patient or their family.",
    ),
    (
        "Consent.provision",
        "The rule; rules within are exceptions to the one around them.",
    ),
    ("Consent.policy.authority", "Who answers for the policy."),
    ("Consent.policy.uri", "The policy's address."),
    ("Consent.verification.verified", "Whether it was confirmed."),
    ("Consent.verification.verifiedWith", "Who confirmed it."),
    ("Consent.verification.verificationDate", "When it was confirmed."),
    ("Consent.provision.type", "Whether the rule permits or denies."),
    ("Consent.provision.period", "When the rule holds."),
    (
        "Consent.provision.actor",
        "Whom the rule is about; nobody named means everybody.",
    ),
    (
        "Consent.provision.action",
        "What may or may not be done: collect, use, disclose.",
    ),
    ("Consent.provision.securityLabel", "Data with these labels."),
    ("Consent.provision.purpose", "For these purposes."),
    ("Consent.provision.class", "Data of these types or profiles."),
    ("Consent.provision.code", "Data with these codes."),
    ("Consent.provision.dataPeriod", "Data from this time."),
    ("Consent.provision.data", "These records."),
    ("Consent.provision.provision", "Exceptions to this rule."),
    (
        "Consent.provision.actor.role",
        "Their part, such as the one who receives the data.",
    ),
    ("Consent.provision.actor.reference", "Who they are."),
    (
        "Consent.provision.data.meaning",
        "The record itself, or what belongs to it as well.",
    ),
    ("Consent.provision.data.reference", "The record."),
];
