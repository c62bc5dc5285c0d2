//! Places in a text of XML, which was read already: what is not XML after all ends the scan.

use std::collections::HashMap;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::{ROOT, Tree};

/// An element that is open.
#[derive(Default)]
struct Open {
    place: Option<usize>,
    /// How often each name was among its children.
    counts: HashMap<String, usize>,
}

pub(super) fn scan(text: &[u8], tree: &mut Tree) {
    let mut reader = Reader::from_reader(text);
    let mut open: Vec<Open> = Vec::new();
    loop {
        let offset = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
        match reader.read_event() {
            Ok(Event::Start(element)) => {
                let place = begin(tree, &mut open, &element, offset);
                open.push(Open {
                    place,
                    ..Open::default()
                });
            }
            Ok(Event::Empty(element)) => {
                begin(tree, &mut open, &element, offset);
            }
            Ok(Event::End(_)) => {
                open.pop();
            }
            Ok(Event::Eof) | Err(_) => return,
            Ok(_) => {}
        }
    }
}

/// The place of an element that begins, where it is looked for.
fn begin(tree: &mut Tree, open: &mut [Open], element: &BytesStart<'_>, offset: usize) -> Option<usize> {
    let Some(parent) = open.last_mut() else {
        tree.found(ROOT, offset);
        return Some(ROOT);
    };
    let place = parent.place?;
    let local = element.local_name();
    let name: &str = local.as_ref();
    // A resource within another stands in an element of its type's name.
    if name.starts_with(|c: char| c.is_ascii_uppercase()) {
        return Some(place);
    }
    if !tree.looks_for(place, name) {
        return None;
    }
    let count = parent.counts.entry(name.to_owned()).or_default();
    let child = tree.child(place, name, *count);
    *count += 1;
    if let Some(child) = child {
        tree.found(child, offset);
    }
    child
}
