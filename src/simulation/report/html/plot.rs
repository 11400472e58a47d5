//! The frame of a drawing: scales, axes, ticks.
//!
//! Inputs: the greatest value of each axis, which begin at 0. Outputs: markup of SVG. Invariants: ticks are whole and one,
//! two or five times a power of ten; coordinates have one decimal. Deliberately absent: what is drawn in the frame.

use std::fmt::{self, Write as _};

use super::escape::Text;

/// How wide a drawing is, in its own units.
pub const WIDTH: f64 = 760.0;

/// Begins a figure with a drawing that scrolls where the page is narrow. `name` is what the figure is called, `id` and
/// `title` are of the drawing.
pub fn begin_drawing(page: &mut String, height: f64, name: &str, (id, title): (&str, &str)) -> fmt::Result {
    write!(
        page,
        "<figure>\n<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"{name}\">\n\
         <svg class=\"plot\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-labelledby=\"{id}\">\n\
         <title id=\"{id}\">{title}</title>\n"
    )
}

/// A frame with both axes from 0.
#[derive(Debug, Clone, Copy)]
pub struct Frame {
    pub left: f64,
    pub top: f64,
    pub width: f64,
    pub height: f64,
    /// The value at the right end, more than 0.
    pub most_x: i64,
    /// The value at the upper end, more than 0.
    pub most_y: i64,
}

impl Frame {
    /// Where a value is from left to right; what is beyond the end is a little beyond it.
    pub fn x(&self, value: i64) -> f64 {
        self.left + (value as f64 / self.most_x.max(1) as f64).min(1.01) * self.width
    }

    /// Where a value is from top to bottom.
    pub fn y(&self, value: i64) -> f64 {
        self.top + self.height - (value as f64 / self.most_y.max(1) as f64) * self.height
    }

    /// The right end.
    pub fn right(&self) -> f64 {
        self.left + self.width
    }

    /// The lower end.
    pub fn bottom(&self) -> f64 {
        self.top + self.height
    }

    /// Lines across at values, each with a label on the left.
    pub fn rows(&self, svg: &mut String, at: &[(i64, String)]) -> fmt::Result {
        for (value, label) in at {
            let y = self.y(*value);
            let (left, right) = (self.left, self.right());
            write!(svg, "<path class=\"grid\" d=\"M{left:.1} {y:.1}H{right:.1}\"/>")?;
            let (x, y) = (left - 7.0, y + 4.0);
            writeln!(
                svg,
                "<text class=\"tick end\" x=\"{x:.1}\" y=\"{y:.1}\">{}</text>",
                Text(label)
            )?;
        }
        Ok(())
    }

    /// Lines up at values, each with a label below.
    pub fn columns(&self, svg: &mut String, at: &[(i64, String)]) -> fmt::Result {
        for (value, label) in at {
            let x = self.x(*value);
            let (top, bottom) = (self.top, self.bottom());
            write!(svg, "<path class=\"grid\" d=\"M{x:.1} {top:.1}V{bottom:.1}\"/>")?;
            let y = bottom + 17.0;
            writeln!(
                svg,
                "<text class=\"tick middle\" x=\"{x:.1}\" y=\"{y:.1}\">{}</text>",
                Text(label)
            )?;
        }
        Ok(())
    }

    /// The line of the lower axis.
    pub fn base(&self, svg: &mut String) -> fmt::Result {
        let (left, right, bottom) = (self.left, self.right(), self.bottom());
        writeln!(
            svg,
            "<path class=\"axis\" d=\"M{left:.1} {bottom:.1}H{right:.1}\"/>"
        )
    }

    /// The name of the lower axis.
    pub fn name_below(&self, svg: &mut String, name: &str) -> fmt::Result {
        let (x, y) = (self.right(), self.bottom() + 34.0);
        writeln!(
            svg,
            "<text class=\"name end\" x=\"{x:.1}\" y=\"{y:.1}\">{}</text>",
            Text(name)
        )
    }

    /// The name of the left axis, above it.
    pub fn name_above(&self, svg: &mut String, name: &str) -> fmt::Result {
        let y = self.top - 10.0;
        writeln!(
            svg,
            "<text class=\"name\" x=\"0\" y=\"{y:.1}\">{}</text>",
            Text(name)
        )
    }
}

/// Values of equal distance from 0 up to the greatest, a handful of them.
#[must_use]
pub fn ticks(most: i64, wanted: i64) -> Vec<i64> {
    let least = (most / wanted.max(1)).max(1);
    let mut power = 1_i64;
    while power.saturating_mul(10) <= least {
        power = power.saturating_mul(10);
    }
    let step = [1, 2, 5, 10]
        .map(|times| power.saturating_mul(times))
        .into_iter()
        .find(|step| *step >= least);
    spaced(most, step.unwrap_or(least))
}

/// Instants of equal distance that people count in, from 0 up to the last.
#[must_use]
pub fn ticks_of_time(most_ms: i64, wanted: i64) -> Vec<i64> {
    const SECOND: i64 = 1_000;
    const HOUR: i64 = 3_600 * SECOND;
    const STEPS: [i64; 16] = [
        SECOND,
        2 * SECOND,
        5 * SECOND,
        10 * SECOND,
        30 * SECOND,
        60 * SECOND,
        120 * SECOND,
        300 * SECOND,
        600 * SECOND,
        1_800 * SECOND,
        HOUR,
        2 * HOUR,
        6 * HOUR,
        12 * HOUR,
        24 * HOUR,
        168 * HOUR,
    ];
    let least = (most_ms / wanted.max(1)).max(1);
    match STEPS.into_iter().find(|step| *step >= least) {
        Some(step) if least * 10 >= SECOND => spaced(most_ms, step),
        _ => ticks(most_ms, wanted),
    }
}

fn spaced(most: i64, step: i64) -> Vec<i64> {
    (0..=most / step.max(1)).map(|times| times * step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_few() {
        let cases = [
            (0, 6, vec![0]),
            (1, 6, vec![0, 1]),
            (7, 6, vec![0, 1, 2, 3, 4, 5, 6, 7]),
            (103_000, 6, vec![0, 20_000, 40_000, 60_000, 80_000, 100_000]),
        ];
        for (most, wanted, expected) in cases {
            assert_eq!(ticks(most, wanted), expected);
        }
        assert_eq!(
            ticks_of_time(7_200_000, 6),
            [0, 1_800_000, 3_600_000, 5_400_000, 7_200_000]
        );
        for most in [1, 99, 12_345, i64::MAX / 4] {
            assert!(
                ticks(most, 6).len() <= 13 && ticks_of_time(most.min(1 << 40), 6).len() <= 2_000,
                "{most}"
            );
        }
    }
}
