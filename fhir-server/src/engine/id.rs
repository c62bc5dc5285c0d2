//! Where new ids come from; tests fix them.

/// Where new ids come from.
pub trait IdSource: Send + Sync {
    /// An id never given before.
    fn new_id(&self) -> String;
}

/// Random UUIDs. They tell nothing of time or order.
#[derive(Debug, Default)]
pub struct RandomIds;

impl IdSource for RandomIds {
    fn new_id(&self) -> String {
        crate::random::uuid().to_string()
    }
}
