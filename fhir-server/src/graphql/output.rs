//! [`Object`]: the answer while it is gathered. A name that is given values more than once keeps them all.

use super::query::wrong;
use crate::error::Result;

/// A value of the answer.
#[derive(Debug)]
pub(super) enum Item {
    /// JSON text of a primitive.
    Text(String),
    /// An object.
    Object(Object),
}

/// The members of an object, in the order in which they were first named.
#[derive(Debug, Default)]
pub(super) struct Object {
    members: Vec<(String, Member)>,
}

#[derive(Debug)]
struct Member {
    is_list: bool,
    items: Vec<Item>,
}

impl Object {
    /// Adds a value. `is_list`: whether one value alone is written as a list. `single`: whether there may be only one.
    pub(super) fn add(&mut self, name: &str, item: Item, is_list: bool, single: bool) -> Result<()> {
        match self.members.iter_mut().find(|(n, _)| n == name) {
            None => {
                let member = Member {
                    is_list: is_list && !single,
                    items: vec![item],
                };
                self.members.push((name.to_owned(), member));
            }
            Some(_) if single => {
                return Err(wrong(format!(
                    "{name} is marked @singleton and has several values."
                )));
            }
            Some((_, member)) => member.items.push(item),
        }
        Ok(())
    }

    /// Whether nothing was found.
    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Writes the object as JSON.
    pub(super) fn write(&self, out: &mut String) {
        out.push('{');
        for (i, (name, member)) in self.members.iter().enumerate() {
            if i > 0 {
                out.push(',');
            }
            out.push_str(&quoted(name));
            out.push(':');
            let listed = member.is_list || member.items.len() > 1;
            if listed {
                out.push('[');
            }
            for (i, item) in member.items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                match item {
                    Item::Text(text) => out.push_str(text),
                    Item::Object(object) => object.write(out),
                }
            }
            if listed {
                out.push(']');
            }
        }
        out.push('}');
    }
}

/// A JSON string.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
