//! The settings of `domicile serve`.
//!
//! Inputs: defaults, then a file (`--config`), then the environment (`DOMICILE__…`), then flags; each
//! wins over the one before. Outputs: [`ServeSettings`], which cannot be wrong.
//! Invariants: every key of every layer is known ([`SETTINGS`] is the whole list); a sentence about a
//! setting names the key and where its value came from. The environment is handed in, never read here.
//! Deliberately absent: what policies and data sets say. Those are facts, and `files` reads them.
//! Paths are taken relative to the working directory of the process, wherever they are written.

mod admission;
mod arguments;
mod error;
mod layers;
mod live_latency;
mod overload;
mod settings;
#[cfg(test)]
mod tests;
mod transport;
mod validate;

pub use admission::{AdmissionServer, NodeProviders, OnNowhere};
pub use arguments::{FactsArgs, ServeArgs, SourceArgs, parse_instant};
pub use error::ConfigError;
pub use layers::{Origin, SETTINGS, Setting};
pub use live_latency::LiveLatencySettings;
pub use overload::OverloadSettings;
pub use settings::{
    FleetSource, LogFormat, LogSettings, ObjectSource, OnBlindSample, RefusalReasons, ServeSettings,
    WordSetting,
};
pub use validate::load;
