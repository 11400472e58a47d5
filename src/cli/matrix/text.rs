//! The matrix for people: places down, profiles across, rules by number.
//!
//! Rows of one profile whose cells are all equal share a column, and the regions of one country a line.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::report::{CellInWords, Report, Row};

/// How many profiles stand beside each other; more follow in a table of their own.
const MOST_COLUMNS: usize = 12;

const FIRST_COLUMN: &str = "place";

/// Rows of one profile with equal cells.
struct Column<'r> {
    letter: String,
    profile: &'r str,
    /// What data, a phrase each.
    data: Vec<String>,
    cells: &'r [CellInWords],
}

impl Report {
    /// Writes the text.
    ///
    /// # Errors
    /// Where the output cannot be written.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(
            out,
            "what may be where by `{}`, decided at {} for pods that process and store\n",
            self.directory, self.at
        )?;
        if self.observes {
            writeln!(
                out,
                "the settings only observe: nothing is refused until they say `mode: enforce`\n"
            )?;
        }
        let columns = columns(&self.rows);
        writeln!(out, "data")?;
        for column in &columns {
            writeln!(out, "  {:<3} {}", column.letter, column.profile)?;
            for data in &column.data {
                writeln!(out, "        {data}")?;
            }
        }
        if !self.deciding.is_empty() {
            writeln!(out, "\nrefused by")?;
        }
        for (position, demand) in self.deciding.iter().enumerate() {
            let ask = demand.contact.as_ref().map(|contact| format!("; ask {contact}"));
            writeln!(
                out,
                "  {:<3} {}{}",
                position + 1,
                demand.says,
                ask.unwrap_or_default()
            )?;
        }
        let tables = columns.len().div_ceil(MOST_COLUMNS).max(1);
        for columns in columns.chunks(columns.len().div_ceil(tables).max(1)) {
            writeln!(out)?;
            self.write_table(columns, out)?;
        }
        writeln!(
            out,
            "\n`yes`: the data may be there; a number: that rule refuses it; `~`: the members of the group \
             differ, some are refused by it"
        )?;
        writeln!(
            out,
            "places of one country that are alike share a line; `--output csv` has every cell"
        )?;
        writeln!(out, "\nwhat this does not speak of")?;
        for limit in &self.does_not_speak_of {
            writeln!(out, "  {limit}")?;
        }
        writeln!(
            out,
            "  exceptions: they are for pods of one namespace; `why` applies them"
        )
    }

    fn write_table(&self, columns: &[Column<'_>], out: &mut dyn Write) -> io::Result<()> {
        let lines = self.lines(columns);
        let first = lines.iter().map(|(place, _)| place.chars().count());
        let first_width = first.chain([FIRST_COLUMN.len()]).max().unwrap_or(0);
        let widths: Vec<usize> = columns
            .iter()
            .enumerate()
            .map(|(index, column)| {
                let cells = lines.iter().filter_map(|(_, cells)| cells.get(index));
                let widest = cells.map(String::len).max().unwrap_or(0);
                widest.max(column.letter.len())
            })
            .collect();
        let mut write_line = |first: &str, cells: &mut dyn Iterator<Item = &str>| {
            let cells = cells
                .zip(&widths)
                .map(|(cell, width)| format!("  {cell:<width$}"));
            let line = format!("{first:<first_width$}{}", cells.collect::<String>());
            writeln!(out, "{}", line.trim_end())
        };
        write_line(
            FIRST_COLUMN,
            &mut columns.iter().map(|column| column.letter.as_str()),
        )?;
        for (place, cells) in &lines {
            write_line(place, &mut cells.iter().map(String::as_str))?;
        }
        Ok(())
    }

    /// A line for each country whose places are alike in these columns. Where they are not, the places that
    /// differ from most have lines of their own.
    fn lines(&self, columns: &[Column<'_>]) -> Vec<(String, Vec<String>)> {
        let mut countries: BTreeMap<&str, Vec<(&str, Vec<String>)>> = BTreeMap::new();
        for (index, place) in self.places.iter().enumerate() {
            let cells = columns.iter().filter_map(|column| column.cells.get(index));
            countries
                .entry(&place.country)
                .or_default()
                .push((&place.place, cells.map(CellInWords::short).collect()));
        }
        let mut lines = Vec::new();
        for (country, places) in countries {
            let mut alike: BTreeMap<&[String], usize> = BTreeMap::new();
            for (_, cells) in &places {
                *alike.entry(cells).or_default() += 1;
            }
            let most = alike.iter().max_by_key(|(_, places)| **places);
            let most = most.filter(|(_, places)| **places > 1);
            if let Some((cells, alike)) = most {
                let others = if *alike < places.len() { "other " } else { "" };
                lines.push((format!("{country} ({others}{alike} places)"), cells.to_vec()));
            }
            let stands_for_most = |cells: &[String]| most.is_some_and(|(most, _)| *most == cells);
            for (place, cells) in places.iter().filter(|(_, cells)| !stands_for_most(cells)) {
                lines.push((format!("{country} {place}"), cells.clone()));
            }
        }
        lines
    }
}

impl CellInWords {
    /// `yes`, or the numbers of what refuses.
    fn short(&self) -> String {
        let numbers: Vec<String> = self.deciding.iter().map(ToString::to_string).collect();
        match self.permitted {
            "yes" => "yes".to_owned(),
            "differs" => format!("~{}", numbers.join(",")),
            _ => numbers.join(","),
        }
    }
}

fn columns(rows: &[Row]) -> Vec<Column<'_>> {
    let mut columns: Vec<Column<'_>> = Vec::new();
    for row in rows {
        let data = format!(
            "{}, category {}, subjects {}",
            row.classification, row.category, row.subject
        );
        let alike = columns
            .iter_mut()
            .find(|column| column.profile == row.profile && column.cells == row.cells);
        match alike {
            Some(column) => column.data.push(data),
            None => {
                let letter = letter(columns.len());
                columns.push(Column {
                    letter,
                    profile: &row.profile,
                    data: vec![data],
                    cells: &row.cells,
                });
            }
        }
    }
    columns
}

/// A, B, .., Z, AA, AB, as a spreadsheet counts its columns.
fn letter(index: usize) -> String {
    let last = char::from(b'A' + (index % 26) as u8);
    match index / 26 {
        0 => last.to_string(),
        more => letter(more - 1) + &last.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_have_the_letters_of_a_spreadsheet() {
        let letters = [0, 25, 26, 51, 52, 701, 702].map(letter);
        assert_eq!(letters, ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]);
    }
}
