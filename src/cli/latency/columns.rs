//! Text in columns, as wide as their widest cell.

use std::io::{self, Write};

/// To which side the cells of a column go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// Writes rows below a header; every row has as many cells as the header. Two blanks part the columns and
/// no line ends with one.
///
/// # Errors
/// Where the output cannot be written.
pub fn write_columns(
    out: &mut dyn Write,
    indent: &str,
    header: &[(&str, Side)],
    rows: &[Vec<String>],
) -> io::Result<()> {
    let widths: Vec<usize> = header
        .iter()
        .enumerate()
        .map(|(column, (title, _))| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            let widest = cells.map(|cell| cell.chars().count()).max().unwrap_or(0);
            widest.max(title.chars().count())
        })
        .collect();
    let mut write_row = |cells: &mut dyn Iterator<Item = &str>| {
        let cells = cells.zip(header).zip(&widths);
        let cells: Vec<String> = cells
            .map(|((cell, (_, side)), width)| match side {
                Side::Left => format!("{cell:<width$}"),
                Side::Right => format!("{cell:>width$}"),
            })
            .collect();
        let line = format!("{indent}{}", cells.join("  "));
        writeln!(out, "{}", line.trim_end())
    };
    write_row(&mut header.iter().map(|(title, _)| *title))?;
    for row in rows {
        write_row(&mut row.iter().map(String::as_str))?;
    }
    Ok(())
}
