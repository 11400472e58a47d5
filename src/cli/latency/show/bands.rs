//! Ranges of milliseconds, and how each looks.
//!
//! The colours go from light to dark with the time, so that they can be told apart without seeing red and
//! green, and in print. Without colours a shade stands for a measured range, a letter for an estimated one.

/// A range of milliseconds: from the end of the one before it up to its own.
#[derive(Debug, Clone, Copy)]
pub struct Band {
    /// The first millisecond that is no longer in it.
    pub below_ms: f64,
    /// The colour of the ground, of the 256 that terminals have.
    ground: u8,
    /// Whether the ground is dark, so that digits are light.
    is_dark: bool,
    /// Without colours, where it was measured.
    pub shade: char,
    /// Without colours, where it is estimated.
    pub letter: char,
}

const fn band(below_ms: f64, ground: u8, is_dark: bool, shade: char, letter: char) -> Band {
    Band {
        below_ms,
        ground,
        is_dark,
        shade,
        letter,
    }
}

/// Every range, the nearest first. The first is what neighbours take; half a world away is 150 to 300 ms.
pub const BANDS: [Band; 8] = [
    band(10.0, 229, false, '·', 'a'),
    band(25.0, 192, false, '░', 'b'),
    band(50.0, 114, false, '░', 'b'),
    band(100.0, 36, false, '▒', 'c'),
    band(150.0, 31, true, '▓', 'd'),
    band(200.0, 25, true, '▓', 'd'),
    band(300.0, 54, true, '█', 'e'),
    band(f64::INFINITY, 53, true, '█', 'e'),
];

/// The range of a time.
pub fn band_of(ms: f64) -> &'static Band {
    let [.., last] = &BANDS;
    BANDS.iter().find(|band| ms < band.below_ms).unwrap_or(last)
}

impl Band {
    /// A text on the colour of the range.
    pub fn coloured(&self, text: &str) -> String {
        let digits = if self.is_dark { 255 } else { 16 };
        format!("\u{1b}[48;5;{};38;5;{digits}m{text}\u{1b}[0m", self.ground)
    }
}
