//! What is told of a source: each thing once, when it begins, and not again at each poll.
//!
//! Inputs: everything that is wrong as of one poll. Outputs: what is newly wrong, and whether all is well
//! again. Invariants: what is wrong in the same way is one thing, although its number changes from poll to
//! poll; what is kept is as large as the last answer.

use std::collections::BTreeSet;

use super::answer::Labels;
use super::client::Answers;
use super::reading::{LeftOut, Reason};
use super::settings::QueryName;

/// The most sentences about single series in one poll; a wrong mapping makes all of them wrong at once.
const MOST_SENTENCES: usize = 20;

/// One thing that is wrong, without its numbers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    Query(QueryName, &'static str),
    Warning(QueryName, String),
    Series(QueryName, Labels, Reason),
}

/// What to write after a poll.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct News {
    /// A sentence for each thing that is newly wrong.
    pub sentences: Vec<String>,
    /// How many more series are newly left out, for which there was no room.
    pub more_series: usize,
    /// Something was wrong at the last poll and nothing is now.
    pub is_well_again: bool,
}

/// What is wrong with a source as of its last poll.
#[derive(Debug, Default)]
pub struct Journal {
    told: BTreeSet<Subject>,
}

impl Journal {
    /// Takes what one poll gave and says what of it is news.
    pub fn note(&mut self, answers: &Answers, left_out: &[LeftOut]) -> News {
        let mut news = News::default();
        let mut wrong = BTreeSet::new();
        let mut tell = |subject: Subject, sentence: &dyn Fn() -> String| {
            let is_series = matches!(subject, Subject::Series(..));
            if !self.told.contains(&subject) && !wrong.contains(&subject) {
                if is_series && news.sentences.len() >= MOST_SENTENCES {
                    news.more_series += 1;
                } else {
                    news.sentences.push(sentence());
                }
            }
            wrong.insert(subject);
        };
        for (query, answer) in answers {
            let name = query.word();
            match answer {
                Err(failure) => tell(Subject::Query(*query, failure.outcome()), &|| {
                    format!("the query `{name}` tells nothing: {failure}")
                }),
                Ok(answer) => {
                    for warning in &answer.warnings {
                        tell(Subject::Warning(*query, warning.clone()), &|| {
                            format!("the answer to the query `{name}` counts and has a warning: {warning}")
                        });
                    }
                }
            }
        }
        for one in left_out {
            let subject = Subject::Series(one.query, one.series.clone(), one.reason);
            tell(subject, &|| one.to_string());
        }
        news.is_well_again = wrong.is_empty() && !self.told.is_empty();
        self.told = wrong;
        news
    }
}

#[cfg(test)]
mod tests {
    use super::super::answer::{Answer, QueryFailure, read_answer};
    use super::*;

    fn answers(p50: Result<Answer, QueryFailure>) -> Answers {
        Answers::from([(QueryName::P50, p50)])
    }

    fn series(number: usize, problem: &str) -> LeftOut {
        let body = format!(
            r#"{{"status":"success","data":{{"resultType":"vector","result":[{{"metric":{{"n":"{number:03}"}},"value":[1,"1"]}}]}}}}"#
        );
        let answer = read_answer(200, body.as_bytes()).expect("an answer");
        LeftOut {
            query: QueryName::P50,
            series: answer.series.first().expect("a series").labels.clone(),
            reason: Reason::NotPositive,
            problem: problem.to_owned(),
        }
    }

    #[test]
    fn each_thing_is_told_when_it_begins_and_not_again() {
        let mut journal = Journal::default();
        let timeout = || answers(Err(QueryFailure::Status(503)));
        let first = journal.note(&timeout(), &[]);
        assert_eq!(
            first.sentences,
            ["the query `p50` tells nothing: the server answers with HTTP status 503"]
        );
        assert_eq!(journal.note(&timeout(), &[]), News::default());

        let good = || answers(Ok(Answer::default()));
        let bad_series = journal.note(&good(), &[series(1, "is 0 ms")]);
        assert_eq!(
            bad_series.sentences,
            [r#"the series `{n="001"}` of the query `p50` is 0 ms"#]
        );
        assert!(!bad_series.is_well_again);
        let other_number = journal.note(&good(), &[series(1, "is -1 ms")]);
        assert_eq!(other_number, News::default(), "the same series in the same way");
        let another = journal.note(&good(), &[series(1, "is 0 ms"), series(2, "is 0 ms")]);
        assert_eq!(another.sentences.len(), 1);

        assert!(journal.note(&good(), &[]).is_well_again);
        assert_eq!(journal.note(&good(), &[]), News::default());
        assert_eq!(journal.note(&timeout(), &[]).sentences.len(), 1, "it began anew");
    }

    #[test]
    fn warnings_are_told_and_thousands_of_series_are_counted() {
        let warned = answers(Ok(Answer {
            warnings: vec!["a store is away".to_owned()],
            ..Answer::default()
        }));
        let many: Vec<LeftOut> = (0..100).map(|number| series(number, "is 0 ms")).collect();
        let news = Journal::default().note(&warned, &many);
        assert_eq!(news.sentences.len(), MOST_SENTENCES);
        assert_eq!(news.more_series, 81);
        assert_eq!(
            news.sentences.first().map(String::as_str),
            Some("the answer to the query `p50` counts and has a warning: a store is away")
        );
    }
}
