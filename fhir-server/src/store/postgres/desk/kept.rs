//! What a commit keeps besides resources: rows and seals of the audit trail, epochs and notes of definitions.

use super::{Decided, Desk};
use crate::store::sql;
use crate::store::{AuditEntry, AuditLists, AuditSeal, Outcome, ResourceType};

impl<'j> Desk<'j> {
    pub(super) fn audit(&mut self, entry: &'j AuditEntry) -> Outcome {
        let stamp = self.next_stamp();
        self.trail.push((stamp, entry));
        Outcome::Recorded
    }

    pub(super) fn list(&mut self, lists: &'j AuditLists) -> Outcome {
        self.lists.push(lists);
        Outcome::Recorded
    }

    /// `None` where its number does not follow the last one's.
    pub(super) async fn seal(&mut self, seal: &'j AuditSeal) -> Decided<Option<Outcome>> {
        let last = match self.last_seal {
            Some(number) => number,
            None => {
                let row: Option<sql::audit::SealRow> =
                    self.link.first(sql::audit::last_seal(self.tenant)).await?;
                row.map_or(0, |(number, ..)| number)
            }
        };
        self.last_seal = Some(last);
        if seal.number != last + 1 {
            return Ok(None);
        }
        self.statements.push(sql::audit::insert_seal(self.tenant, seal));
        self.undo.seal = Some(last);
        self.last_seal = Some(seal.number);
        Ok(Some(Outcome::Recorded))
    }

    /// A definition of the type, or what is noted about them, has changed under the last stamp.
    pub(super) fn move_epoch(&mut self, of: ResourceType) {
        let epoch = self.epochs.next(of, self.last_stamp);
        self.epochs.set(of, epoch);
        self.statements.push(sql::set_epoch(self.tenant, of, epoch));
    }

    pub(super) fn note(&mut self, of: ResourceType, note: &'j [u8], moves: bool) -> Outcome {
        self.statements.push(sql::set_note(self.tenant, of, note));
        if moves {
            self.next_stamp();
            self.move_epoch(of);
        }
        Outcome::Noted
    }

    pub(super) async fn newest(&mut self, resource_type: ResourceType) -> Decided<i64> {
        self.send().await?;
        self.sent();
        let newest: Option<i64> = self.link.first(sql::newest(self.tenant, resource_type)).await?;
        Ok(newest.unwrap_or_default())
    }
}
