//! Tables.
//!
//! Inputs: a caption, columns, rows of cells. Outputs: markup. Invariants: every table has a caption, every column and
//! every row a heading; one that is too wide scrolls by itself, by keyboard too. Deliberately absent: sorting.

use std::fmt::{self, Write as _};

use super::escape::{Prose, Text};

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    Words,
    Numbers,
}

/// A heading of a column.
pub struct Column {
    /// Markup of ours.
    head: String,
    holds: Holds,
}

impl Column {
    /// A column of words.
    pub fn words(head: &str) -> Self {
        Self {
            head: Text(head).to_string(),
            holds: Holds::Words,
        }
    }

    /// A column of numbers.
    pub fn numbers(head: &str) -> Self {
        Self {
            head: Text(head).to_string(),
            holds: Holds::Numbers,
        }
    }

    /// A column of numbers under markup of ours.
    pub fn numbers_under(head: String) -> Self {
        Self {
            head,
            holds: Holds::Numbers,
        }
    }
}

/// What stands in a cell.
pub enum Cell {
    /// Shown as it is.
    Text(String),
    /// A sentence, with code in backticks.
    Prose(String),
    /// Markup of ours.
    Markup(String),
    /// Markup of ours, in a cell of this class.
    Classed(&'static str, String),
}

impl Cell {
    /// Shown as it is.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A place, in one line where there is room.
    pub fn place(place: &str) -> Self {
        Self::Markup(format!("<span class=\"place\">{}</span>", Text(place)))
    }
}

/// Writes a table, the first cell of each row as its heading.
pub fn table(page: &mut String, caption: &str, columns: &[Column], rows: &[Vec<Cell>]) -> fmt::Result {
    write!(
        page,
        "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"{caption}\"><table>\n\
         <caption>{caption}</caption>\n<thead><tr>",
        caption = Text(caption)
    )?;
    for column in columns {
        let class = class(column.holds, "");
        write!(page, "<th scope=\"col\"{class}>{}</th>", column.head)?;
    }
    page.push_str("</tr></thead>\n<tbody>\n");
    for row in rows {
        page.push_str("<tr>");
        for (at, (cell, column)) in row.iter().zip(columns).enumerate() {
            let (tag, scope) = if at == 0 {
                ("th", " scope=\"row\"")
            } else {
                ("td", "")
            };
            let class = class(
                column.holds,
                if let Cell::Classed(class, _) = cell {
                    class
                } else {
                    ""
                },
            );
            write!(page, "<{tag}{scope}{class}>")?;
            match cell {
                Cell::Text(text) => write!(page, "{}", Text(text))?,
                Cell::Prose(text) => write!(page, "{}", Prose(text))?,
                Cell::Markup(markup) | Cell::Classed(_, markup) => page.push_str(markup),
            }
            write!(page, "</{tag}>")?;
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</tbody>\n</table></div>\n");
    Ok(())
}

fn class(holds: Holds, more: &str) -> String {
    match (holds, more) {
        (Holds::Words, "") => String::new(),
        (Holds::Words, more) => format!(" class=\"{more}\""),
        (Holds::Numbers, "") => " class=\"n\"".to_owned(),
        (Holds::Numbers, more) => format!(" class=\"n {more}\""),
    }
}

/// A bar of a length in thousandths of the longest, beside a figure that says the same.
#[must_use]
pub fn bar(value: u64, longest: u64) -> String {
    let permille = (u128::from(value) * 1_000)
        .checked_div(u128::from(longest))
        .unwrap_or(0)
        .min(1_000);
    if permille == 0 {
        return String::new();
    }
    let percent = format!("{}.{}", permille / 10, permille % 10);
    format!("<span class=\"bar\" aria-hidden=\"true\"><i style=\"width:{percent}%\"></i></span>")
}
