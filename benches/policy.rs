//! What it costs to prove, compile and evaluate policies. Run: `cargo bench --bench policy`.
//!
//! The floors: the shipped set proved in a second on one core, 300 policies compiled in 100 ms, one pod
//! evaluated in a microsecond.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a benchmark stops at the first surprise"
)]

mod timing;

use std::fmt::Write as _;
use std::hint::black_box;

use domicile::embedded;
use domicile::model::{Category, Classification, Country, DataTuple, Dimension, Subject};
use domicile::policy::{PolicySet, TupleSource, evaluate, performed_sets};
use jiff::Timestamp;
use timing::median;

/// So many policies of two rules over the shipped groups and regions.
fn policies(count: usize) -> Vec<(String, String)> {
    let shipped = embedded::policies().iter();
    let kept = shipped.filter(|(_, text)| {
        !text.contains("kind: PlacementPolicy")
            && !text.contains("kind: Guarantee")
            && !text.contains("kind: PolicyTest")
    });
    let mut files: Vec<(String, String)> = kept
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
        .collect();
    let countries: Vec<Country> = Country::all().collect();
    let mut text = String::new();
    for number in 0..count {
        let category = Category::ALL[number % Category::ALL.len()].word();
        let country = countries[number % countries.len()];
        let day = number % 28 + 1;
        write!(
            text,
            "---\napiVersion: domicile.dev/v1alpha1\nkind: PlacementPolicy\nmetadata: {{name: p{number}}}\nspec:\n  \
             title: a title\n  owner: {{team: privacy-office, contact: a@corp.example}}\n  legalBasis: [{{cite: a law}}]\n  \
             mode: enforce\n  effective: {{from: \"2027-01-{day:02}\"}}\n  \
             appliesTo: {{data: {{categories: [{category}], subjects: [\"{country}\"]}}}}\n  \
             rules: [{{id: place, allowed: [group/EEA, \"{country}\"]}}, {{id: not, denied: [\"KP\"]}}]\n"
        )
        .expect("a string takes everything");
    }
    files.push(("many.yaml".to_owned(), text));
    files
}

fn load(files: &[(String, String)]) -> PolicySet {
    let files = files.iter().map(|(name, text)| (name.as_str(), text.as_str()));
    PolicySet::load(files).expect("a set").set
}

fn main() {
    let now: Timestamp = "2026-11-21T12:00:00Z".parse().expect("an instant");
    let shipped = PolicySet::load(embedded::policies().iter().copied())
        .expect("the shipped set")
        .set;
    let proofs = shipped.prove(now);
    assert!(proofs.all_hold(), "the shipped guarantees hold");
    let took = median(21, || shipped.prove(now));
    println!(
        "prove the shipped set: {} guarantees, {} instants, {} cells: {:.1} ms, {:.0} cells/s",
        proofs.proofs.len(),
        proofs.instants.len(),
        proofs.cells,
        took.as_secs_f64() * 1e3,
        proofs.cells as f64 / took.as_secs_f64(),
    );
    let (none, many) = (policies(0), policies(300));
    let of_catalogue = median(21, || load(&none)).as_secs_f64() * 1e3;
    let of_all = median(21, || load(&many)).as_secs_f64() * 1e3;
    println!(
        "read and compile the regions and groups: {of_catalogue:.1} ms; and 300 policies of two rules: {:.1} ms more",
        of_all - of_catalogue
    );
    let tuple = DataTuple {
        classification: Some(Classification::Confidential),
        category: Dimension::Is(Category::Health),
        subject: Dimension::Is(Subject::Country(Country::new("FR").expect("France"))),
    };
    let [processes, ..] = performed_sets();
    let profile = TupleSource::default().profile(shipped.catalogue(), &tuple, processes, None);
    let calls: u32 = 10_000;
    let took = median(21, || {
        for _ in 0..calls {
            black_box(evaluate(&shipped, black_box(&profile), now));
        }
    });
    let each = took / calls;
    let places = shipped.catalogue().places().count() as f64;
    println!(
        "evaluate one tuple at all {places} places: {} ns, {:.1} ns a place",
        each.as_nanos(),
        each.as_nanos() as f64 / places,
    );
}
