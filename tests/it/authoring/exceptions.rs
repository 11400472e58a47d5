//! `domicile exceptions list`: states, days left, what is listed, and how it ends.

use domicile::cli::exceptions::{ListArgs, list};
use domicile::cli::{Outcome, TableOutput};

use super::{everything, now};

fn listed(expiring: Option<u32>, output: TableOutput) -> (String, Outcome) {
    let arguments = ListArgs {
        directory: Some(everything()),
        policies: None,
        snapshot: None,
        expiring,
        at: None,
        output,
    };
    let mut out = Vec::new();
    let outcome = list(&arguments, now(), &mut out).unwrap();
    (String::from_utf8(out).unwrap(), outcome)
}

#[test]
fn every_exception_is_told_with_its_state_the_one_that_ends_first_first() {
    let (said, outcome) = listed(None, TableOutput::Text);
    assert_eq!(outcome, Outcome::Holds);
    let expected = "\
ex-2026-007: expired since 2026-04-01T00:00:00Z
  lifts      card-data/place, which permits only any catalogued place
  for        namespace payments
  at         NZ
  data       payment data
  because    A test that is over (waiver)
  approval   a.meier@corp.example asked, pci@corp.example approved, ticket GRC-4000, as the file says (everything.yaml:173)

ex-2026-032: pending until 2026-12-01T00:00:00Z, 16 days left until 2026-12-08T00:00:00Z
  lifts      card-data/embargo, which permits no place in KP or IR
  for        namespace audit
  at         group pacific
  data       data that is restricted or more sensitive
  because    =1+1 in a spreadsheet is no formula (waiver)
  approval   a.meier@corp.example asked, pci@corp.example approved, ticket GRC-4500, as the file says (everything.yaml:159)

ex-2026-031: in force, 69 days left until 2027-01-30T00:00:00Z
  lifts      card-data/attested, which permits only places operated by Amazon Web Services Inc. and whose operator is controlled from US and that are administered from group pacific and attested for PCI-DSS 1 or ISO-27001 and where the customer or an external service holds the keys and on shared or dedicated machines
  for        namespace payments, only Deployment/fraud-model
  at         GB
  data       payment data about people of GB
  because    Model vendor migration; pseudonymised data only (mitigated)
  instead    Columns are pseudonymised
  instead    Access is reviewed every week
  approval   a.meier@corp.example asked, ciso@corp.example approved, ticket GRC-4411, as the file says (everything.yaml:140)

as of 2026-11-21T12:00:00Z: 3 exceptions, 1 in force, 1 pending, 1 expired
";
    assert_eq!(said, expected);
}

#[test]
fn what_expires_soon_is_a_finding_and_what_has_expired_is_not_expiring() {
    for (days, names, expected) in [
        (16, vec![], Outcome::Holds),
        (17, vec!["ex-2026-032"], Outcome::Finding),
        (30, vec!["ex-2026-032"], Outcome::Finding),
        (70, vec!["ex-2026-032", "ex-2026-031"], Outcome::Finding),
    ] {
        let (said, outcome) = listed(Some(days), TableOutput::Json);
        let said: serde_json::Value = serde_json::from_str(&said).unwrap();
        let listed: Vec<&str> = said["exceptions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["name"].as_str().unwrap())
            .collect();
        assert_eq!((listed, outcome), (names, expected), "{days}");
        // The counts are of the whole set.
        assert_eq!(
            (&said["expired"], &said["kind"]),
            (&1.into(), &"exceptions".into())
        );
    }
    let (said, _) = listed(Some(30), TableOutput::Text);
    assert!(said.ends_with("; 1 expires within 30 days\n"), "{said}");
}

#[test]
fn the_table_has_a_row_for_each_and_no_formula() {
    let (said, _) = listed(None, TableOutput::Csv);
    let mut table = csv::Reader::from_reader(said.as_bytes());
    let columns = table.headers().unwrap().len();
    let rows: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 3);
    assert!(rows.iter().all(|row| row.len() == columns));
    assert!(said.contains(",'=1+1 in a spreadsheet is no formula,"), "{said}");
}
