//! The flags of `serve`, and the flags by which every verb names its facts.
//!
//! A flag has the name of its setting, with `-` for the dot between levels. Absent: defaults. They live with the settings, so that a flag
//! that is not given never hides a value of the file or of the environment.

use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::settings::{ObjectSource, OnBlindSample, RefusalReasons};

/// Where facts come from. What is not named comes from the defaults that are built in.
#[derive(Debug, Clone, PartialEq, Eq, Default, Args)]
#[command(next_help_heading = "Facts")]
pub struct SourceArgs {
    /// Nodes and namespaces: a file with a kubectl List (YAML or JSON), or a snapshot of ours
    #[arg(long, value_name = "FILE")]
    pub fleet: Option<PathBuf>,
    /// Policies, settings, regions and groups: a directory that is read whole
    #[arg(long, value_name = "DIR")]
    pub policies: Option<PathBuf>,
    /// Data sets and their replicas
    #[arg(long, value_name = "FILE|DIR")]
    pub data_sets: Option<PathBuf>,
    /// Measured latencies between regions and zones (CSV)
    #[arg(long, value_name = "FILE|DIR")]
    pub latency: Option<PathBuf>,
}

/// The facts of an offline verb, and the instant at which it judges them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Args)]
pub struct FactsArgs {
    /// Where the facts come from.
    #[command(flatten)]
    pub sources: SourceArgs,
    /// The whole world of a file that `domicile snapshot` wrote, at the instant at which it was taken; what is named
    /// besides stands in the place of what it has
    #[arg(long, value_name = "FILE", help_heading = "Facts")]
    pub snapshot: Option<PathBuf>,
    /// Judge at this instant (RFC 3339, such as 2027-01-31T12:00:00Z, or a date for its midnight UTC) instead of now
    #[arg(long, value_name = "TIME", value_parser = parse_instant, help_heading = "Facts")]
    pub at: Option<Timestamp>,
}

/// How the address for kube-scheduler is encrypted, and whom it lets in.
#[derive(Debug, Clone, PartialEq, Eq, Default, Args)]
#[command(next_help_heading = "Encryption")]
pub struct TlsArgs {
    /// The certificate for --listen and its chain (PEM); read again when it changes
    #[arg(long, value_name = "FILE")]
    pub tls_certificate: Option<PathBuf>,
    /// Its private key (PEM)
    #[arg(long, value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
    /// Let in only clients that show a certificate of these authorities (PEM)
    #[arg(long, value_name = "FILE")]
    pub tls_client_ca: Option<PathBuf>,
    /// And only those whose certificate bears one of these names, with commas between [default: any name]
    #[arg(long, value_name = "NAMES")]
    pub tls_client_names: Option<String>,
}

/// Where API servers find us, how that is encrypted, and whom it lets in.
#[derive(Debug, Clone, PartialEq, Eq, Default, Args)]
#[command(next_help_heading = "Admission")]
pub struct AdmissionArgs {
    /// Serve /mutate and /validate, which API servers call, at this address [default: not at all]
    #[arg(long, value_name = "ADDR")]
    pub admission_listen: Option<String>,
    /// The certificate for it and its chain (PEM); read again when it changes
    #[arg(long, value_name = "FILE")]
    pub admission_tls_certificate: Option<PathBuf>,
    /// Its private key (PEM)
    #[arg(long, value_name = "FILE")]
    pub admission_tls_key: Option<PathBuf>,
    /// Let in only clients that show a certificate of these authorities (PEM)
    #[arg(long, value_name = "FILE")]
    pub admission_tls_client_ca: Option<PathBuf>,
    /// And only those whose certificate bears one of these names, with commas between [default: any name]
    #[arg(long, value_name = "NAMES")]
    pub admission_tls_client_names: Option<String>,
}

/// The flags of `domicile serve`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Args)]
pub struct ServeArgs {
    /// Read settings from a file (YAML, TOML or JSON by its extension)
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where kube-scheduler finds us [default: 127.0.0.1:8265]
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<String>,
    /// How that address is encrypted.
    #[command(flatten)]
    pub tls: TlsArgs,
    /// Let addresses beyond loopback be unencrypted, where others can read pods and forge decisions
    #[arg(long, help_heading = "Encryption")]
    pub insecure_http: bool,
    /// Serve /livez, /readyz and /metrics, unencrypted, at an address of their own [default: shared with --listen]
    #[arg(long, value_name = "ADDR")]
    pub admin_listen: Option<String>,
    /// Where API servers find us.
    #[command(flatten)]
    pub admission: AdmissionArgs,
    /// Watch the nodes and namespaces of the cluster that we run in, or that kubeconfig names
    #[arg(long, help_heading = "Facts")]
    pub cluster: bool,
    /// Write nothing to that cluster: wake no pods and tell them nothing, for where others do
    #[arg(long, help_heading = "Facts")]
    pub read_only: bool,
    /// Where the facts come from.
    #[command(flatten)]
    pub sources: SourceArgs,
    /// Which source of policies rules [default: files]
    #[arg(long, value_enum, value_name = "SOURCE", help_heading = "Facts")]
    pub policies_from: Option<ObjectSource>,
    /// Which source of data sets rules [default: files]
    #[arg(long, value_enum, value_name = "SOURCE", help_heading = "Facts")]
    pub data_sets_from: Option<ObjectSource>,
    /// Keep the last good files here, so that a bad file is no outage even at a restart
    #[arg(long, value_name = "DIR", help_heading = "Records")]
    pub state_dir: Option<PathBuf>,
    /// Write a record of every decision to this file (JSON Lines)
    #[arg(long, value_name = "FILE", help_heading = "Records")]
    pub decisions: Option<PathBuf>,
    /// What to answer when permitted nodes exist and none was offered [default: error, which kube-scheduler retries]
    #[arg(long, value_enum, value_name = "ANSWER", help_heading = "Answers")]
    pub on_blind_sample: Option<OnBlindSample>,
    /// On how many refused nodes the sentence is written [default: auto, which is all up to 100 candidates and else one]
    #[arg(long, value_enum, value_name = "NODES", help_heading = "Answers")]
    pub refusal_reasons: Option<RefusalReasons>,
}

/// Reads an instant: RFC 3339 with an offset, or a date, which is its midnight in UTC.
pub fn parse_instant(text: &str) -> Result<Timestamp, String> {
    let instant = text.parse::<Timestamp>().ok().or_else(|| {
        let date = text.parse::<Date>().ok()?;
        let midnight = date.to_zoned(TimeZone::UTC).ok()?;
        // jiff reads the date out of a date and time too; that text has a time, so it lacks an offset.
        (text.len() == date.to_string().len()).then(|| midnight.timestamp())
    });
    instant.ok_or_else(|| {
        format!("`{text}` is no instant: write a date such as 2027-01-31, or 2027-01-31T12:00:00Z")
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Offline {
        #[command(flatten)]
        facts: FactsArgs,
    }

    #[derive(Debug, Parser)]
    struct Serve {
        #[command(flatten)]
        serve: ServeArgs,
    }

    #[test]
    fn the_flags_are_well_formed_and_described() {
        use clap::CommandFactory;
        Offline::command().debug_assert();
        Serve::command().debug_assert();
        for argument in Serve::command().get_arguments() {
            assert!(argument.get_help().is_some(), "{}", argument.get_id());
        }
    }

    #[test]
    fn an_instant_is_a_time_with_an_offset_or_a_date_in_utc() {
        for (text, instant) in [
            ("2027-01-31", "2027-01-31T00:00:00Z"),
            ("2027-01-31T12:00:00Z", "2027-01-31T12:00:00Z"),
            ("2027-01-31T12:00:00+02:00", "2027-01-31T10:00:00Z"),
        ] {
            let parsed = Offline::try_parse_from(["domicile", "--at", text]).expect(text);
            assert_eq!(parsed.facts.at.map(|at| at.to_string()).as_deref(), Some(instant));
        }
        for wrong in ["tomorrow", "2027-02-30", "2027-01-31T12:00:00", "12:00"] {
            let error = Offline::try_parse_from(["domicile", "--at", wrong]).expect_err(wrong);
            assert!(error.to_string().contains("is no instant"), "{error}");
        }
    }

    #[test]
    fn serve_judges_at_the_present_and_offline_verbs_watch_no_cluster() {
        assert!(Serve::try_parse_from(["domicile", "--at", "2027-01-31"]).is_err());
        assert!(Offline::try_parse_from(["domicile", "--cluster"]).is_err());
    }
}
