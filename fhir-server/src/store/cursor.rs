//! [`Cursor`]: the place of a resource in the order of a search, to go on from.

use crate::error::{Error, ErrorCode, Result};

/// The place of a resource in the order of a search. Opaque: for the next page of the same search only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Its value for each key of the order.
    pub(crate) values: Vec<Place>,
    /// Its stamp.
    pub(crate) stamp: i64,
}

/// A value to sort by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    /// None: after all others in either direction.
    Missing,
    /// A number, or something that sorts as one.
    Number(i64),
    /// Text.
    Bytes(Vec<u8>),
}

/// The longest cursor that is read.
const MAX_BYTES: usize = 4_096;
const FORM: u8 = 1;

impl Cursor {
    /// As bytes, for a page link.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = vec![FORM];
        out.extend_from_slice(&self.stamp.to_be_bytes());
        for value in &self.values {
            match value {
                Place::Missing => out.push(0),
                Place::Number(number) => {
                    out.push(1);
                    out.extend_from_slice(&number.to_be_bytes());
                }
                Place::Bytes(bytes) => {
                    out.push(2);
                    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
                    out.extend_from_slice(&length.to_be_bytes());
                    out.extend(bytes.iter().take(length.into()));
                }
            }
        }
        out
    }

    /// From what [`Cursor::to_bytes`] made.
    ///
    /// # Errors
    /// It is something else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        read(bytes).ok_or_else(|| {
            let text = "The place where the page begins is damaged: begin again with the first page.";
            Error::new(ErrorCode::Value, text)
        })
    }
}

fn read(bytes: &[u8]) -> Option<Cursor> {
    if bytes.len() > MAX_BYTES {
        return None;
    }
    let (&[FORM], rest) = bytes.split_first_chunk::<1>()? else {
        return None;
    };
    let (stamp, mut rest) = rest.split_first_chunk::<8>()?;
    let mut values = Vec::new();
    while let Some((kind, after)) = rest.split_first() {
        rest = match kind {
            0 => {
                values.push(Place::Missing);
                after
            }
            1 => {
                let (number, after) = after.split_first_chunk::<8>()?;
                values.push(Place::Number(i64::from_be_bytes(*number)));
                after
            }
            2 => {
                let (length, after) = after.split_first_chunk::<2>()?;
                let (text, after) = after.split_at_checked(u16::from_be_bytes(*length).into())?;
                values.push(Place::Bytes(text.to_vec()));
                after
            }
            _ => return None,
        };
    }
    Some(Cursor {
        values,
        stamp: i64::from_be_bytes(*stamp),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_and_a_damaged_one_does_not() {
        let cursor = Cursor {
            values: vec![
                Place::Missing,
                Place::Number(i64::MIN),
                Place::Bytes(b"smith".to_vec()),
                Place::Bytes(Vec::new()),
            ],
            stamp: 77,
        };
        let bytes = cursor.to_bytes();
        assert_eq!(Cursor::from_bytes(&bytes).unwrap(), cursor);
        for cut in [0, 1, 8, 12, bytes.len() - 1, bytes.len() - 4] {
            assert!(Cursor::from_bytes(&bytes[..cut]).is_err(), "{cut}");
        }
        assert!(Cursor::from_bytes(&[9; 20]).is_err());
        assert!(Cursor::from_bytes(&vec![1; MAX_BYTES + 1]).is_err());
    }
}
