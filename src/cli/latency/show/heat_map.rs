//! The heat map: a row and a column for each place, and how far apart they are in each cell.
//!
//! Columns have numbers, which stand before the names of the rows, so that a map of 32 regions fits into a
//! window. Milliseconds stand in the cells where they fit into a line, else one character for a range. What
//! does not fit at all is continued below, in parts.
//! Invariant: what is estimated never looks as if it were measured, and what is unknown or parted never looks
//! near.

use std::io::{self, Write};

use super::Cells;
use super::bands::{BANDS, Band, band_of};
use super::selection::Selection;
use crate::cli::latency::Screen;
use crate::model::Statistic;
use crate::topology::MeasuredPlace;
use crate::topology::audit::Viewed;

/// One cell.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Cell {
    /// A place and itself.
    Own,
    Unknown,
    /// The one place does not reach the other, whatever the time was when it did.
    Parted,
    Known {
        ms: f64,
        is_measured: bool,
    },
}

/// A map.
#[derive(Debug)]
pub struct HeatMap {
    /// The names of rows and columns.
    labels: Vec<String>,
    /// What all names begin with, which is left out of them.
    prefix: Option<String>,
    cells: Vec<Vec<Cell>>,
}

impl HeatMap {
    /// Looks every cell up.
    pub fn new(selection: &Selection, viewed: &Viewed<'_>, statistic: Statistic) -> Self {
        let places: Vec<&MeasuredPlace> = selection.rows().collect();
        let cell = |from: &MeasuredPlace, to: &MeasuredPlace| {
            if from == to {
                return Cell::Own;
            }
            let pair = viewed.pair(from, to);
            match pair.of(statistic) {
                _ if pair.is_parted => Cell::Parted,
                None => Cell::Unknown,
                Some(estimate) => Cell::Known {
                    ms: estimate.latency.as_ms(),
                    is_measured: estimate.provenance.is_measured(),
                },
            }
        };
        let cells = places
            .iter()
            .map(|from| selection.columns().map(|to| cell(from, to)).collect())
            .collect();
        let provider = places.first().map(|place| place.region.provider());
        let prefix = provider
            .filter(|provider| places.iter().all(|place| place.region.provider() == *provider))
            .map(|provider| format!("{provider}/"));
        let label = |place: &&MeasuredPlace| {
            let name = place.to_string();
            let prefix = prefix.as_deref().unwrap_or("");
            name.strip_prefix(prefix).map_or(name.clone(), str::to_owned)
        };
        Self {
            labels: places.iter().map(label).collect(),
            cells,
            prefix,
        }
    }

    /// Writes the map and its legend.
    ///
    /// # Errors
    /// Where the output cannot be written.
    pub fn write(&self, cells: Option<Cells>, screen: &Screen, out: &mut dyn Write) -> io::Result<()> {
        let number_width = self.labels.len().to_string().len();
        let name_width = self.labels.iter().map(|label| label.chars().count()).max();
        let first_width = number_width + 1 + name_width.unwrap_or(0) + 1;
        let room = screen.width.saturating_sub(first_width);
        let numbers = self.width_of_numbers();
        let fits = |cell_width: usize| self.labels.len() * cell_width <= room;
        let (form, cell_width) = match cells {
            Some(Cells::Ms) => (Cells::Ms, numbers),
            Some(Cells::Shades) => (Cells::Shades, if fits(2) { 2 } else { 1 }),
            None if fits(numbers) => (Cells::Ms, numbers),
            None => (Cells::Shades, if fits(2) { 2 } else { 1 }),
        };
        let layout = Layout {
            form,
            number_width,
            first_width,
            cell_width,
            has_colour: screen.has_colour,
        };
        let columns = (room / cell_width).max(1);
        let mut first = 0;
        while first < self.labels.len() {
            if first > 0 {
                writeln!(out)?;
            }
            let until = (first + columns).min(self.labels.len());
            self.write_part(&layout, first, until, out)?;
            first = until;
        }
        self.write_legend(&layout, out)?;
        if cells.is_none() && layout.form == Cells::Shades {
            writeln!(
                out,
                "`--cells ms` shows milliseconds, in parts; so does a wider window"
            )?;
        }
        Ok(())
    }

    /// The widest time with a blank before it.
    fn width_of_numbers(&self) -> usize {
        let cells = self.cells.iter().flatten();
        let widest = cells.map(|cell| cell.number().chars().count()).max().unwrap_or(0);
        1 + widest.max(self.labels.len().to_string().len())
    }

    fn write_part(&self, layout: &Layout, first: usize, until: usize, out: &mut dyn Write) -> io::Result<()> {
        for line in layout.head(first, until) {
            writeln!(out, "{}", line.trim_end())?;
        }
        for (index, (label, row)) in self.labels.iter().zip(&self.cells).enumerate() {
            let (number, number_width) = (index + 1, layout.number_width);
            let name = format!("{number:>number_width$} {label}");
            let cells = row.iter().skip(first).take(until - first);
            let cells: String = cells.map(|cell| layout.cell(*cell)).collect();
            writeln!(
                out,
                "{name:<width$}{}",
                cells.trim_end(),
                width = layout.first_width
            )?;
        }
        Ok(())
    }

    fn write_legend(&self, layout: &Layout, out: &mut dyn Write) -> io::Result<()> {
        let cells = || self.cells.iter().flatten();
        let has = |wanted: fn(&Cell) -> bool| cells().any(wanted);
        let mut legend = vec!["rows from, columns to".to_owned()];
        if let Some(prefix) = &self.prefix {
            legend.push(format!("all names begin with {prefix}"));
        }
        legend.push(format!("{} the place itself", Cell::Own.character()));
        let has_estimates = has(|cell| {
            matches!(
                cell,
                Cell::Known {
                    is_measured: false,
                    ..
                }
            )
        });
        let is_plain = layout.form == Cells::Shades && !layout.has_colour;
        if has_estimates && !is_plain {
            legend.push("~ estimated".to_owned());
        }
        if has(|cell| *cell == Cell::Unknown) {
            legend.push("? unknown".to_owned());
        }
        if has(|cell| *cell == Cell::Parted) {
            legend.push(format!("{} parted: not reached", Cell::Parted.character()));
        }
        writeln!(out, "\n{}", legend.join(" · "))?;
        if layout.has_colour {
            let bands: Vec<String> = BANDS
                .iter()
                .map(|band| band.coloured(&in_words(band.below_ms)))
                .collect();
            writeln!(out, "ms {}", bands.join(""))?;
        } else if is_plain {
            writeln!(out, "ms, measured:  {}", plain_legend(|band| band.shade))?;
            if has_estimates {
                writeln!(out, "ms, estimated: {}", plain_legend(|band| band.letter))?;
            }
        }
        Ok(())
    }
}

/// ` <10 `, and for the last range ` more `.
fn in_words(below_ms: f64) -> String {
    if below_ms.is_finite() {
        format!(" <{below_ms} ")
    } else {
        " more ".to_owned()
    }
}

/// Each mark with the end of the last range that has it.
fn plain_legend(mark: fn(&Band) -> char) -> String {
    let mut marks: Vec<(char, f64)> = Vec::new();
    for band in &BANDS {
        match marks.last_mut() {
            Some((last, below_ms)) if *last == mark(band) => *below_ms = band.below_ms,
            _ => marks.push((mark(band), band.below_ms)),
        }
    }
    let marks = marks
        .iter()
        .map(|(mark, below_ms)| format!("{mark}{}", in_words(*below_ms)));
    marks.collect::<Vec<_>>().join(" ").trim_end().to_owned()
}

impl Cell {
    /// The cell as a number, without blanks.
    fn number(self) -> String {
        match self {
            Self::Own | Self::Unknown | Self::Parted => self.character().to_string(),
            Self::Known { ms, is_measured } => {
                let mark = if is_measured { "" } else { "~" };
                // Below a millisecond lie zones of one region, which are not all the same.
                if ms < 1.0 {
                    format!("{mark}{ms:.1}")
                } else {
                    format!("{mark}{ms:.0}")
                }
            }
        }
    }

    /// The cell as one character, without colours.
    fn character(self) -> char {
        match self {
            Self::Own => '\\',
            Self::Unknown => '?',
            Self::Parted => '×',
            Self::Known {
                ms,
                is_measured: true,
            } => band_of(ms).shade,
            Self::Known {
                ms,
                is_measured: false,
            } => band_of(ms).letter,
        }
    }
}

/// How a map is laid out.
#[derive(Debug)]
struct Layout {
    form: Cells,
    /// Columns of the number before a name.
    number_width: usize,
    /// Columns of the number and the name.
    first_width: usize,
    cell_width: usize,
    has_colour: bool,
}

impl Layout {
    /// The numbers of the columns: in one line where they fit, else digit below digit.
    fn head(&self, first: usize, until: usize) -> Vec<String> {
        let indent = " ".repeat(self.first_width);
        let width = self.cell_width;
        let numbers = (first + 1)..=until;
        if width > self.number_width {
            let cells: String = numbers.map(|number| format!("{number:>width$}")).collect();
            return vec![indent + &cells];
        }
        let digits: Vec<Vec<char>> = numbers
            .map(|number| {
                format!("{number:>digits$}", digits = self.number_width)
                    .chars()
                    .collect()
            })
            .collect();
        let line = |at: usize| {
            let digits = digits.iter().map(|digits| digits.get(at).copied().unwrap_or(' '));
            let cells: String = digits.map(|digit| format!("{digit:>width$}")).collect();
            format!("{indent}{cells}")
        };
        (0..self.number_width).map(line).collect()
    }

    fn cell(&self, cell: Cell) -> String {
        let width = self.cell_width;
        let text = match (self.form, cell) {
            (Cells::Ms, _) => cell.number(),
            (Cells::Shades, Cell::Known { is_measured, .. }) if self.has_colour => {
                if is_measured { " " } else { "~" }.to_owned()
            }
            (Cells::Shades, _) => cell.character().to_string(),
        };
        let text = format!("{text:>width$}");
        match cell {
            Cell::Known { ms, .. } if self.has_colour => band_of(ms).coloured(&text),
            _ => text,
        }
    }
}
