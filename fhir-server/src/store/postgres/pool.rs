//! A bounded set of connections, lent one transaction at a time.
//!
//! Invariant: a connection goes back only when its transaction has ended and nothing runs on it; any other is closed, and
//! the database told to end what it was doing.

use std::sync::Arc;
use std::time::Duration;

use deadpool::Runtime;
use deadpool::managed::{
    Manager, Metrics, Object, Pool as Inner, PoolError, RecycleError, RecycleResult, TimeoutType,
};
use tokio::runtime::Handle;

use super::connect::Connector;
use super::link::Link;
use crate::error::{Error, ErrorCode, Result};

/// How long somebody waits for a connection that others use.
const PATIENCE: Duration = Duration::from_millis(1_500);

struct Maker(Arc<Connector>);

impl Manager for Maker {
    type Type = Link;
    type Error = Error;

    async fn create(&self) -> Result<Link> {
        self.0.connect().await
    }

    async fn recycle(&self, link: &mut Link, _: &Metrics) -> RecycleResult<Error> {
        match link.is_closed() {
            true => Err(RecycleError::message("the connection has ended")),
            false => Ok(()),
        }
    }
}

/// A bounded set of connections.
pub(super) struct Pool {
    inner: Inner<Maker>,
    connector: Arc<Connector>,
    runtime: Handle,
}

impl Pool {
    /// A set of at most so many connections, none made yet.
    pub(super) fn new(connector: Arc<Connector>, most: usize, runtime: Handle) -> Result<Self> {
        let inner = Inner::builder(Maker(connector.clone()))
            .max_size(most.max(1))
            .wait_timeout(Some(PATIENCE))
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(Error::internal)?;
        Ok(Pool {
            inner,
            connector,
            runtime,
        })
    }

    /// A connection with nothing begun on it; waits for one, not long.
    pub(super) async fn lend(&self) -> Result<Lent> {
        let object = self.inner.get().await.map_err(refused)?;
        Ok(Lent {
            object: Some(object),
            connector: self.connector.clone(),
            runtime: self.runtime.clone(),
        })
    }

    /// Gives out no more connections and closes those that are free.
    pub(super) fn close(&self) {
        self.inner.close();
    }
}

fn refused(error: PoolError<Error>) -> Error {
    match error {
        PoolError::Backend(error) => error,
        PoolError::Timeout(TimeoutType::Wait) => Error::new(
            ErrorCode::Unavailable,
            "All connections to the database are in use; nothing was changed. Try again later.",
        ),
        PoolError::Closed => Error::new(ErrorCode::Unavailable, "The server is shutting down."),
        other => Error::internal(other.to_string()),
    }
}

/// A connection lent by a pool.
pub(super) struct Lent {
    object: Option<Object<Maker>>,
    connector: Arc<Connector>,
    runtime: Handle,
}

impl Lent {
    /// The connection.
    pub(super) fn link(&self) -> Result<&Link> {
        self.object
            .as_deref()
            .ok_or_else(|| Error::internal("a connection was used after it was given back"))
    }

    /// Gives it back, after the end of its transaction.
    pub(super) fn give_back(mut self) {
        self.object.take();
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let Some(object) = self.object.take() else { return };
        let link = Object::take(object);
        if link.is_closed() {
            return;
        }
        let (connector, token) = (self.connector.clone(), link.cancel_token());
        self.runtime.spawn(async move {
            connector.cancel(token).await;
            drop(link);
        });
    }
}
