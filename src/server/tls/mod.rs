//! Encrypted connections: a certificate that is swapped under the listener, and clients that show theirs.
//!
//! Inputs: PEM files (certificate chain, key, perhaps the authority of clients), the names of clients that
//! are let in, `now` at each look. Outputs: a configuration for rustls that outlives every swap; metrics.
//! Invariants: what is served did load as a whole and its key belongs to its certificate; a bad file never
//! replaces what is good; a connection that stands is never closed by a swap; a client that an authority is
//! required of reaches no route without a certificate of it. Sessions are not resumed, so that every
//! handshake meets the certificate, and the authority, of its time.
//! Deliberately absent: revocation lists, and a second look at the client of a connection that stands.
//!
//! ```text
//! files ─ [material] one whole, or why not ─ [keeper] last good ─ [serving] rustls ─ [clients] who may ask
//! ```

mod certificate;
mod clients;
mod keeper;
mod material;
mod serving;
mod settings;

pub(super) use clients::{listed_clients_only, remember_client};
pub use keeper::{TlsHealth, TlsKeeper};
pub use material::TlsProblem;
pub use serving::ServerTls;
pub use settings::{ClientSettings, TlsAddress, TlsSettings};
