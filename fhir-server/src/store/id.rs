//! Logical ids as bytes: 16 for a UUID in its canonical form, otherwise the text itself.
//!
//! A canonical UUID's ninth byte is 0x80 or above and an id's text is ASCII, so no id's bytes are those of another.

use uuid::Uuid;

/// The bytes that stand for the id.
pub(crate) fn pack(id: &str) -> Vec<u8> {
    if let Ok(uuid) = Uuid::try_parse(id)
        && uuid.as_bytes()[8] >= 0x80
        && *uuid.hyphenated().encode_lower(&mut Uuid::encode_buffer()) == *id
    {
        return uuid.as_bytes().to_vec();
    }
    id.as_bytes().to_vec()
}

/// The id that the bytes stand for; `None` where they are not of this form.
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) fn unpack(bytes: Vec<u8>) -> Option<String> {
    if let Ok(uuid) = <[u8; 16]>::try_from(bytes.as_slice())
        && uuid[8] >= 0x80
    {
        return Some(Uuid::from_bytes(uuid).hyphenated().to_string());
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_comes_back_and_no_two_share_their_bytes() {
        let ids = [
            "1",
            "example",
            "abcdefghijklmnop",
            "A.b-9",
            "8f0e6d2a-1b3c-4d5e-9f60-718293a4b5c6",
            "8F0E6D2A-1B3C-4D5E-9F60-718293A4B5C6",
            "8f0e6d2a1b3c4d5e9f60718293a4b5c6",
            "8f0e6d2a-1b3c-4d5e-1f60-718293a4b5c6",
            "00000000-0000-0000-0000-000000000000",
        ];
        let packed: std::collections::HashSet<_> = ids.iter().map(|id| pack(id)).collect();
        assert_eq!(packed.len(), ids.len());
        for id in ids {
            assert_eq!(unpack(pack(id)).as_deref(), Some(id));
        }
        assert_eq!(pack(ids[4]).len(), 16);
    }
}
