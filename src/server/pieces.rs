//! A response in pieces, so that what stands in the body of the request already is not copied to be sent.
//!
//! Invariant: its length is announced, as that of any answer.

use std::array;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, MessageBody};
use actix_web::web::Bytes;

/// Pieces that follow upon one another.
pub(super) struct Pieces<const N: usize> {
    bytes: usize,
    left: array::IntoIter<Bytes, N>,
}

impl<const N: usize> Pieces<N> {
    pub fn new(pieces: [Bytes; N]) -> Self {
        Self {
            bytes: pieces.iter().map(Bytes::len).sum(),
            left: pieces.into_iter(),
        }
    }
}

impl<const N: usize> MessageBody for Pieces<N> {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.bytes as u64)
    }

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        Poll::Ready(self.left.next().map(Ok))
    }
}
