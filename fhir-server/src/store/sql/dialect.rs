//! [`Dialect`]: where the SQL of the databases differs.

/// Whose SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// SQLite's.
    #[cfg(feature = "sqlite")]
    Sqlite,
    /// PostgreSQL's.
    #[cfg(feature = "postgres")]
    Postgres,
}

impl Dialect {
    /// Whether each part of a union needs an order and a limit of its own to be read in the order of an index. SQLite merges the
    /// parts by itself, and does not take an order there.
    pub(crate) fn orders_parts(self) -> bool {
        match self {
            #[cfg(feature = "sqlite")]
            Dialect::Sqlite => false,
            #[cfg(feature = "postgres")]
            Dialect::Postgres => true,
        }
    }

    /// Begin and end of a table that is asked once for each row of what stands before it. PostgreSQL thinks that all values before another
    /// are many, and would read all of both sides; SQLite joins in the order of the text.
    pub(crate) fn beside(self) -> Option<(&'static str, &'static str)> {
        match self {
            #[cfg(feature = "sqlite")]
            Dialect::Sqlite => None,
            #[cfg(feature = "postgres")]
            Dialect::Postgres => Some(("LATERAL (", " OFFSET 0)")),
        }
    }

    /// That the text of the term `n` holds some bytes.
    pub(crate) fn contains(self) -> &'static str {
        match self {
            #[cfg(feature = "sqlite")]
            Dialect::Sqlite => "instr(coalesce(n.whole, n.head), ?) > 0",
            #[cfg(feature = "postgres")]
            Dialect::Postgres => "position(? IN coalesce(n.whole, n.head)) > 0",
        }
    }

    /// Or that the patients of the row `w` that waits hold some text.
    pub(crate) fn waits(self) -> &'static str {
        match self {
            #[cfg(feature = "sqlite")]
            Dialect::Sqlite => " OR instr(w.patients, ?) > 0",
            #[cfg(feature = "postgres")]
            Dialect::Postgres => " OR strpos(w.patients, ?) > 0",
        }
    }

    /// That the words of the passage `l` hold a phrase. SQLite asks its index once, whatever the number of passages that are tested.
    pub(crate) fn has_words(self) -> &'static str {
        match self {
            #[cfg(feature = "sqlite")]
            Dialect::Sqlite => {
                " AND +l.number IN (SELECT w.rowid FROM passage_words w WHERE w.words MATCH ?)"
            }
            #[cfg(feature = "postgres")]
            Dialect::Postgres => " AND l.words @@ CAST(? AS tsquery)",
        }
    }

    /// The passages `l` of a tenant whose words hold a phrase, by the index of words; SQLite has no numbers that would tell it which index
    /// is the better one.
    pub(crate) fn passages_with_words(self) -> &'static str {
        match self {
            #[cfg(feature = "sqlite")]
            Dialect::Sqlite => {
                "passage_words w CROSS JOIN passage l WHERE w.words MATCH ? AND l.number = w.rowid AND +l.tenant = ?"
            }
            #[cfg(feature = "postgres")]
            Dialect::Postgres => "passage l WHERE l.words @@ CAST(? AS tsquery) AND l.tenant = ?",
        }
    }

    /// The end of an EXISTS that is asked of one row after the other. PostgreSQL would make a join of it, and does not know how
    /// rows of a resource go together: over 100,000 resources a page took 648 ms by its joins and 1.6 ms so.
    pub(crate) fn end_of_exists(self) -> &'static str {
        match self {
            #[cfg(feature = "sqlite")]
            Dialect::Sqlite => ")",
            #[cfg(feature = "postgres")]
            Dialect::Postgres => " OFFSET 0)",
        }
    }

    /// What stands around a part of a union.
    pub(crate) fn part(self) -> (&'static str, &'static str) {
        match self.orders_parts() {
            true => ("(", ")"),
            false => ("", ""),
        }
    }
}
