//! The statements about full text: passages, and the index of the database's own kind over their words.
//!
//! SQLite keeps words in an FTS5 table without content, whose tokenizer takes them as they are; PostgreSQL in a `tsvector` that is written
//! word by word, past its parser. Both so hold the very words that were cut before.

use super::dialect::Dialect;
use super::statement::{Bind, Statement};
use crate::store::GAP;

/// What tells a passage of a resource from others: section, part, digest.
pub(crate) type PassageKey = (i16, i32, [u8; 16]);

/// The phrase in the language of the database's index.
pub(super) fn question(dialect: Dialect, phrase: &[String]) -> Bind<'static> {
    // Words are letters and digits alone: nothing in them is of the language.
    Bind::OwnedText(match dialect {
        #[cfg(feature = "sqlite")]
        Dialect::Sqlite => format!("\"{}\"", phrase.join(" ")),
        #[cfg(feature = "postgres")]
        Dialect::Postgres => format!("'{}'", phrase.join("' <-> '")),
    })
}

/// The text of a `tsvector` of those words, each at its place.
#[cfg(feature = "postgres")]
pub(crate) fn tsvector(words: &str) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(words.len() * 2);
    for (place, word) in (1..).zip(words.split(' ')).filter(|(_, word)| *word != GAP) {
        // Writing to a string cannot fail.
        let _ = write!(text, "'{word}':{place} ");
    }
    text
}

#[cfg(feature = "sqlite")]
mod sqlite {
    use diesel::sql_types::{Binary, Integer, SmallInt};

    use super::*;
    use crate::context::TenantId;

    /// The passages of a resource.
    pub(crate) fn passages(
        tenant: TenantId,
        resource: i64,
    ) -> Statement<'static, (SmallInt, Integer, Binary)> {
        Statement::new(
            "SELECT l.section, l.part, l.digest FROM passage l WHERE l.tenant = ? AND l.resource = ?",
            [Bind::Big(tenant.0), Bind::Big(resource)],
        )
    }

    /// Adds a passage.
    pub(crate) fn insert_passage(
        tenant: TenantId,
        resource: i64,
        (section, part, digest): PassageKey,
        words: &str,
    ) -> [Statement<'_>; 2] {
        [
            Statement::new(
                "INSERT INTO passage (tenant, resource, section, part, digest) VALUES (?, ?, ?, ?, ?)",
                [
                    Bind::Big(tenant.0),
                    Bind::Big(resource),
                    Bind::Small(section),
                    Bind::Int(part),
                    Bind::Owned(digest.to_vec()),
                ],
            ),
            Statement::new(
                "INSERT INTO passage_words (rowid, words) VALUES (last_insert_rowid(), ?)",
                [Bind::Text(words)],
            ),
        ]
    }

    /// Takes a passage away.
    pub(crate) fn delete_passage(
        tenant: TenantId,
        resource: i64,
        (section, part, digest): PassageKey,
    ) -> [Statement<'static>; 2] {
        let of = || {
            [
                Bind::Big(tenant.0),
                Bind::Big(resource),
                Bind::Small(section),
                Bind::Int(part),
                Bind::Owned(digest.to_vec()),
            ]
        };
        [
            Statement::new(
                "DELETE FROM passage_words WHERE rowid IN (SELECT l.number FROM passage l WHERE l.tenant = ?\
                 \x20AND l.resource = ? AND l.section = ? AND l.part = ? AND l.digest = ?)",
                of(),
            ),
            Statement::new(
                "DELETE FROM passage WHERE tenant = ? AND resource = ? AND section = ? AND part = ? AND digest = ?",
                of(),
            ),
        ]
    }

    /// Adds a contained resource.
    pub(crate) fn insert_contained<'a>(
        tenant: TenantId,
        (container, surrogate): (i64, i64),
        key: &'a super::super::ContainedKey,
    ) -> Statement<'a> {
        Statement::new(
            "INSERT INTO contained (surrogate, tenant, container, type, id, fragment) VALUES (?, ?, ?, ?, ?, ?)",
            [
                Bind::Big(surrogate),
                Bind::Big(tenant.0),
                Bind::Big(container),
                Bind::Small(key.resource_type),
                Bind::Bytes(&key.id),
                Bind::Bytes(&key.fragment),
            ],
        )
    }

    /// Takes a contained resource away; its rows are another matter.
    pub(crate) fn delete_contained(tenant: TenantId, surrogate: i64) -> Statement<'static> {
        Statement::new(
            "DELETE FROM contained WHERE tenant = ? AND surrogate = ?",
            [Bind::Big(tenant.0), Bind::Big(surrogate)],
        )
    }
}

#[cfg(feature = "sqlite")]
pub(crate) use sqlite::*;

/// How many rows say that full text is kept: none or one. It is the same for all tenants.
pub(crate) fn full_text() -> Statement<'static, diesel::sql_types::BigInt> {
    Statement::new("SELECT count(*) FROM full_text", [])
}

/// Says whether full text is kept from now on; where it is and was not, all resources are to be indexed anew.
pub(crate) fn keep_full_text(dialect: Dialect, kept: bool) -> Vec<Statement<'static>> {
    if !kept {
        return vec![Statement::new("DELETE FROM full_text", [])];
    }
    match dialect {
        #[cfg(feature = "sqlite")]
        Dialect::Sqlite => vec![
            Statement::new(
                "INSERT INTO unindexed (tenant, stamp) SELECT DISTINCT r.tenant, 0 FROM resource r\
                 \x20WHERE NOT EXISTS (SELECT 1 FROM full_text) ON CONFLICT (tenant) DO UPDATE SET stamp = 0",
                [],
            ),
            Statement::new(
                "INSERT INTO full_text (kept) VALUES (1) ON CONFLICT DO NOTHING",
                [],
            ),
        ],
        #[cfg(feature = "postgres")]
        Dialect::Postgres => vec![Statement::new(
            "WITH begun AS (INSERT INTO full_text (kept) VALUES (1) ON CONFLICT DO NOTHING RETURNING kept)\
             \x20INSERT INTO unindexed (tenant, stamp) SELECT DISTINCT r.tenant, 0 FROM resource r\
             \x20WHERE EXISTS (SELECT 1 FROM begun) ON CONFLICT (tenant) DO UPDATE SET stamp = 0",
            [],
        )],
    }
}
