//! The audit trail (<https://hl7.org/fhir/R4/auditevent.html>): who did what, when, to what, about whom, and how it ended.
//!
//! Each interaction makes one row; a Bundle makes one of its own and one for each of its entries. A write's row is part of the write's
//! own commit, any other is committed before the answer leaves. `chain` makes a change of what was written show; `event` gives a row
//! as an AuditEvent to who may see it. Of requests of nobody who is known there is one row a minute and address (`strangers`).
//!
//! Invariant: no interaction is answered whose row could not be written.
//! Invariant: rows hold no content of resources: which resource, which request, which patients.

pub(crate) mod chain;
pub(crate) mod event;
mod record;
pub(crate) mod strangers;
pub mod verify;

pub(crate) use record::{Record, interaction_of, number_of};
pub(crate) use strangers::StrangerCount;
pub(crate) use verify::hexadecimal;
