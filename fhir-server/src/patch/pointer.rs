//! [`Pointer`]: JSON Pointer (RFC 6901), and what JSON Patch does at the place that one names.

use fhir_model::json::{Text, Tree};

use super::budget::{Budget, Exhausted};
use super::shortened;

/// A JSON Pointer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pointer {
    tokens: Vec<String>,
}

/// Why there is nothing to do at the place.
#[derive(Debug)]
pub(super) enum Miss {
    /// The place does not exist, in words.
    Nowhere(String),
    /// The budget is used up.
    Exhausted,
}

impl From<Exhausted> for Miss {
    fn from(_: Exhausted) -> Self {
        Miss::Exhausted
    }
}

type Found<T> = Result<T, Miss>;

impl Pointer {
    /// Reads a pointer such as `/name/0/given`.
    ///
    /// # Errors
    /// It is none, in words.
    pub(super) fn parse(text: &str) -> Result<Pointer, String> {
        if text.is_empty() {
            return Ok(Pointer { tokens: Vec::new() });
        }
        let Some(below) = text.strip_prefix('/') else {
            return Err("a JSON Pointer begins with a slash, such as /name/0/given".to_owned());
        };
        let tokens = below.split('/').map(unescape);
        let tokens: Option<Vec<String>> = tokens.collect();
        match tokens {
            Some(tokens) => Ok(Pointer { tokens }),
            None => Err("in a JSON Pointer a tilde stands only in ~0 (for ~) and ~1 (for /)".to_owned()),
        }
    }

    /// How many levels below the root the place is.
    pub(super) fn depth(&self) -> usize {
        self.tokens.len()
    }

    /// Whether the place is within that of the other, and not the same.
    pub(super) fn is_within(&self, other: &Pointer) -> bool {
        self.tokens.len() > other.tokens.len() && self.tokens.starts_with(&other.tokens)
    }

    /// The value at the place.
    pub(super) fn find<'a, 't>(&self, root: &'a Tree<'t>, budget: &mut Budget) -> Found<&'a Tree<'t>> {
        let mut at = root;
        for (level, token) in self.tokens.iter().enumerate() {
            budget.work(1 + at.members().len())?;
            let next = match at {
                Tree::Object(_) => at.get(token),
                Tree::Array(items) => items.get(self.index(level, token, items.len(), false)?),
                _ => None,
            };
            at = next.ok_or_else(|| self.missing(level, at))?;
        }
        Ok(at)
    }

    /// What holds the place, and the last token; `None` for the root.
    fn holder<'a, 't>(
        &self,
        root: &'a mut Tree<'t>,
        budget: &mut Budget,
    ) -> Found<Option<(&'a mut Tree<'t>, &str)>> {
        let Some((last, above)) = self.tokens.split_last() else {
            return Ok(None);
        };
        let mut at = root;
        for (level, token) in above.iter().enumerate() {
            budget.work(1 + at.members().len())?;
            let missing = self.missing(level, at);
            let next = match at {
                Tree::Array(items) => {
                    let index = self.index(level, token, items.len(), false)?;
                    items.get_mut(index)
                }
                other => other.get_mut(token),
            };
            at = next.ok_or(missing)?;
        }
        budget.work(1 + at.members().len())?;
        Ok(Some((at, last)))
    }

    /// `add`: sets a member, inserts an item, or replaces the whole.
    pub(super) fn add<'t>(&self, root: &mut Tree<'t>, value: Tree<'t>, budget: &mut Budget) -> Found<()> {
        let level = self.tokens.len().saturating_sub(1);
        let Some((holder, last)) = self.holder(root, budget)? else {
            *root = value;
            return Ok(());
        };
        let missing = self.missing(level, holder);
        match holder {
            Tree::Array(items) => {
                let index = self.index(level, last, items.len(), true)?;
                budget.work((items.len() - index) * std::mem::size_of::<Tree<'_>>())?;
                items.insert(index, value);
                Ok(())
            }
            Tree::Object(members) => {
                match members.iter_mut().find(|(name, _)| name.is(last)) {
                    Some((_, place)) => *place = value,
                    None => members.push((Text::of(last), value)),
                }
                Ok(())
            }
            _ => Err(missing),
        }
    }

    /// `replace`: sets what is there.
    pub(super) fn replace<'t>(&self, root: &mut Tree<'t>, value: Tree<'t>, budget: &mut Budget) -> Found<()> {
        let level = self.tokens.len().saturating_sub(1);
        let Some((holder, last)) = self.holder(root, budget)? else {
            *root = value;
            return Ok(());
        };
        let missing = self.missing(level, holder);
        let place = match holder {
            Tree::Array(items) => {
                let index = self.index(level, last, items.len(), false)?;
                items.get_mut(index)
            }
            other => other.get_mut(last),
        };
        *place.ok_or(missing)? = value;
        Ok(())
    }

    /// `remove`: takes out what is there.
    pub(super) fn remove<'t>(&self, root: &mut Tree<'t>, budget: &mut Budget) -> Found<Tree<'t>> {
        let level = self.tokens.len().saturating_sub(1);
        let Some((holder, last)) = self.holder(root, budget)? else {
            return Err(Miss::Nowhere(
                "the whole resource cannot be taken out; delete it with DELETE".to_owned(),
            ));
        };
        let missing = self.missing(level, holder);
        match holder {
            Tree::Array(items) => {
                let index = self.index(level, last, items.len(), false)?;
                budget.work((items.len() - index) * std::mem::size_of::<Tree<'_>>())?;
                Ok(items.remove(index))
            }
            other => other.remove(last).ok_or(missing),
        }
    }

    /// The index that a token names in an array; one past the end only where something is inserted.
    fn index(&self, level: usize, token: &str, length: usize, inserts: bool) -> Found<usize> {
        if token == "-" && inserts {
            return Ok(length);
        }
        let digits = token.bytes().all(|b| b.is_ascii_digit()) && (token == "0" || !token.starts_with('0'));
        let index = match digits {
            true => token.parse::<usize>().ok(),
            false => None,
        };
        let end = if inserts { length + 1 } else { length };
        index.filter(|index| *index < end).ok_or_else(|| {
            let range = match end {
                0 => "which is empty".to_owned(),
                _ if inserts => format!("which takes 0 to {length}, or - for its end"),
                _ => format!("which has 0 to {}", end - 1),
            };
            Miss::Nowhere(format!(
                "{:?} is no index of the array at {:?}, {range}",
                shortened(token),
                self.shown(level)
            ))
        })
    }

    fn missing(&self, level: usize, at: &Tree<'_>) -> Miss {
        let token = self.tokens.get(level).map(String::as_str).unwrap_or_default();
        let place = self.shown(level);
        let token = shortened(token);
        Miss::Nowhere(match at {
            Tree::Object(_) => format!("there is no member {token:?} at {place:?}"),
            Tree::Array(_) => format!("there is no item {token:?} at {place:?}"),
            other => format!("{place:?} is {}, which has nothing inside", other.described()),
        })
    }

    /// The first levels of the pointer, as text.
    fn shown(&self, levels: usize) -> String {
        let tokens = self.tokens.iter().take(levels);
        let text: String = tokens
            .flat_map(|t| ["/".to_owned(), t.replace('~', "~0").replace('/', "~1")])
            .collect();
        shortened(&text)
    }
}

fn unescape(token: &str) -> Option<String> {
    let mut out = String::with_capacity(token.len());
    let mut chars = token.chars();
    while let Some(c) = chars.next() {
        match c {
            '~' => out.push(match chars.next()? {
                '0' => '~',
                '1' => '/',
                _ => return None,
            }),
            c => out.push(c),
        }
    }
    Some(out)
}
