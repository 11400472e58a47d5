//! What was read: the lines that findings are about, and the addresses of their files.

use std::collections::BTreeMap;
use std::path::Path;

use crate::assembly::SourceText;
use crate::cli::sarif::relative_uri;
use crate::files::SourceFiles;
use crate::policy::Position;

/// The files, by the names under which findings speak of them.
#[derive(Debug, Default)]
pub struct Written<'a> {
    files: BTreeMap<String, (Vec<&'a str>, String)>,
}

impl<'a> Written<'a> {
    /// Adds the files beneath a path, which is a folder or one file, under their own names.
    pub fn policies(&mut self, path: &Path, files: &'a SourceFiles) {
        for (name, text) in files.iter() {
            let uri = relative_uri(folder(path), Path::new(name));
            self.files.insert(name.to_owned(), (text.lines().collect(), uri));
        }
    }

    /// Adds files whose names are their paths.
    pub fn paths(&mut self, files: &'a [SourceText]) {
        for SourceText { name, text } in files {
            let path = Path::new(name);
            let file = path.file_name().map_or(path, Path::new);
            let uri = relative_uri(folder(path), file);
            self.files.insert(name.clone(), (text.lines().collect(), uri));
        }
    }

    /// The address of the file of a position; `None` where it names no file.
    pub fn uri(&self, position: &Position) -> Option<&str> {
        self.files.get(&position.file).map(|(_, uri)| uri.as_str())
    }

    /// The line of a position.
    pub fn line(&self, position: &Position) -> Option<&'a str> {
        let (lines, _) = self.files.get(&position.file)?;
        lines.get(position.line.checked_sub(1)?).copied()
    }

    /// How many characters to underline: what is longer than its line (a whole block) ends with the line.
    pub fn underlined(&self, position: &Position) -> usize {
        let before = position.column.saturating_sub(1);
        let rest = self
            .line(position)
            .map_or(0, |line| line.trim_end().chars().count().saturating_sub(before));
        position.length.min(rest).max(1)
    }
}

fn folder(path: &Path) -> &Path {
    if path.is_dir() {
        path
    } else {
        path.parent().unwrap_or(path)
    }
}
