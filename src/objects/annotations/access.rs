//! How a workload uses data: data sets, clients, limits.

use super::lists::did_you_mean;
use super::{CLIENTS, DATA_SETS, Reader};
use crate::model::{ClientWeight, DataSetName, DataSetUse, RegionReference, RequestsPerCall};
use crate::objects::quoted::quoted;

/// The greatest weight of a client region: shares are relative, so more would only lose precision.
const GREATEST_WEIGHT: f64 = 1e6;

impl Reader {
    /// Reads `orders: reads=4 writes=1; catalog`.
    pub(super) fn data_sets(&mut self, value: &str) -> Vec<DataSetUse> {
        let mut names: Vec<DataSetName> = Vec::new();
        let mut unread: Vec<DataSetName> = Vec::new();
        let mut data_sets = self.members(DATA_SETS, value, ';', |written| {
            let (name, uses) = written.split_once(':').unwrap_or((written, ""));
            let name = data_set_name(name.trim())?;
            if names.contains(&name) {
                return Err(format!(
                    "the data set {} is named twice; join the two",
                    quoted(name.as_str())
                ));
            }
            names.push(name.clone());
            data_set_use(name.clone(), uses).inspect_err(|_| unread.push(name))
        });
        // A name that can be read stays, whatever stands behind it: it says which data is in use.
        data_sets.extend(unread.into_iter().map(|name| DataSetUse {
            name,
            reads: None,
            writes: None,
        }));
        data_sets
    }

    /// Reads `eu-west-1=0.7, us-east-1=0.3`.
    pub(super) fn clients(&mut self, value: &str) -> Vec<ClientWeight> {
        let mut regions: Vec<RegionReference> = Vec::new();
        self.members(CLIENTS, value, ',', |written| {
            let Some((region, weight)) = written.split_once('=') else {
                return Err(format!(
                    "{} has no weight; write such as `eu-west-1=0.7`",
                    quoted(written)
                ));
            };
            let client = ClientWeight {
                region: RegionReference::parse(region.trim()).map_err(|_| {
                    format!(
                        "{} is no region; write such as `eu-west-1` or `aws/eu-west-1`",
                        quoted(region)
                    )
                })?,
                weight: positive(weight)
                    .filter(|weight| *weight <= GREATEST_WEIGHT)
                    .ok_or_else(|| {
                        format!(
                            "the weight {} is not a number above 0; write such as `0.7`",
                            quoted(weight.trim())
                        )
                    })?,
            };
            if regions.contains(&client.region) {
                return Err(format!(
                    "the region {} is named twice; join the two",
                    quoted(region.trim())
                ));
            }
            regions.push(client.region.clone());
            Ok(client)
        })
    }

    /// Reads a number of milliseconds.
    pub(super) fn limit_ms(&mut self, annotation: &'static str, value: &str) -> Option<f64> {
        let limit = positive(value);
        if limit.is_none() {
            self.problem(
                annotation,
                format!(
                    "{} is not a number of milliseconds above 0; write such as `25`",
                    quoted(value.trim())
                ),
            );
        }
        limit
    }
}

fn positive(text: &str) -> Option<f64> {
    let number: f64 = text.trim().parse().ok()?;
    (number.is_finite() && number > 0.0).then_some(number)
}

/// A name of a data set. A comma or an equals sign in it is the mark of another mistake.
fn data_set_name(name: &str) -> Result<DataSetName, String> {
    if name.contains(',') {
        return Err(format!(
            "{} has a comma; set data sets apart by `;`",
            quoted(name)
        ));
    }
    if name.contains('=') {
        return Err(format!(
            "{} has no colon after its name; write such as `orders: reads=4`",
            quoted(name)
        ));
    }
    DataSetName::new(name).map_err(|_| {
        format!(
            "{} is no name of a data set; write such as `orders: reads=4`",
            quoted(name)
        )
    })
}

/// Reads what stands behind the colon: `reads=4 writes=1`.
fn data_set_use(name: DataSetName, uses: &str) -> Result<DataSetUse, String> {
    let mut data_set = DataSetUse {
        name,
        reads: None,
        writes: None,
    };
    for written in uses.split_whitespace() {
        let (word, number) = written.split_once('=').unwrap_or((written, ""));
        let slot = match word {
            "reads" => &mut data_set.reads,
            "writes" => &mut data_set.writes,
            _ => {
                return Err(format!(
                    "unknown use {} of a data set; {}",
                    quoted(word),
                    did_you_mean(word, &["reads", "writes"])
                ));
            }
        };
        if slot.is_some() {
            return Err(format!("`{word}` is stated twice for one data set; keep one"));
        }
        let read = number.parse().ok().and_then(RequestsPerCall::new);
        *slot = Some(read.ok_or_else(|| {
            format!(
                "{} is not a number from 0 to 1000000; write such as `{word}=4`",
                quoted(written)
            )
        })?);
    }
    Ok(data_set)
}
