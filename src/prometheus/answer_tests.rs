//! Answers of Prometheus, good and bad, as a table.

use super::*;

fn failure(status: u16, body: &str) -> QueryFailure {
    read_answer(status, body.as_bytes()).expect_err(body)
}

#[test]
fn a_vector_is_read_with_every_kind_of_number() {
    let body = r#"{"status":"success","infos":["not read"],"warnings":["a store is away"],"data":{"resultType":"vector","stats":{},
        "result":[
          {"metric":{"__name__":"rtt","to":"b","from":"a"},"value":[1700000000.1,"0.0125"]},
          {"metric":{},"value":[1700000000,"NaN"]},
          {"metric":{},"value":[1700000000,"+Inf"]},
          {"metric":{},"value":[1700000000,"-Inf"]},
          {"metric":{},"value":[1700000000,"many"]},
          {"metric":{},"histogram":[1700000000,{"count":"3","sum":"1"}]}
        ]}}"#;
    let answer = read_answer(200, body.as_bytes()).expect("an answer");
    let samples: Vec<String> = answer
        .series
        .iter()
        .map(|series| format!("{:?}", series.sample))
        .collect();
    assert_eq!(
        samples,
        [
            "Number(0.0125)",
            "Number(NaN)",
            "Number(inf)",
            "Number(-inf)",
            "Text(\"many\")",
            "Histogram"
        ]
    );
    assert_eq!(answer.warnings, ["a store is away"]);
    let labels = answer.series.first().map(|series| series.labels.to_string());
    assert_eq!(labels.as_deref(), Some(r#"rtt{from="a", to="b"}"#));
}

#[test]
fn an_empty_vector_is_an_answer() {
    let body = br#"{"status":"success","data":{"resultType":"vector","result":[]}}"#;
    assert_eq!(read_answer(200, body), Ok(Answer::default()));
}

#[test]
fn what_is_no_vector_is_told_in_one_sentence() {
    for (status, body, outcome, sentence) in [
        (
            400,
            r#"{"status":"error","errorType":"bad_data","error":"invalid parameter \"query\": 1:4: parse error"}"#,
            "refused",
            "Prometheus refuses the query (bad_data): invalid parameter \"query\": 1:4: parse error",
        ),
        (
            503,
            r#"{"status":"error","errorType":"timeout","error":"query timed out"}"#,
            "refused",
            "Prometheus refuses the query (timeout): query timed out",
        ),
        (
            401,
            "Unauthorized",
            "http-status",
            "the server answers with HTTP status 401",
        ),
        (302, "", "http-status", "the server answers with HTTP status 302"),
        (
            502,
            r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#,
            "http-status",
            "the server answers with HTTP status 502",
        ),
        (
            200,
            "<html>log in</html>",
            "unreadable",
            "the answer is not that of the HTTP API of Prometheus: expected value at line 1 column 1",
        ),
        (
            200,
            r#"{"status":"success"}"#,
            "unreadable",
            "the answer is not that of the HTTP API of Prometheus: it has neither data nor an error",
        ),
        (
            200,
            r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#,
            "not-a-vector",
            "the result is a matrix where a vector is expected, which has one number for each pair of places",
        ),
        (
            200,
            r#"{"status":"success","data":{"resultType":"scalar","result":[1,"1"]}}"#,
            "not-a-vector",
            "the result is a scalar where a vector is expected, which has one number for each pair of places",
        ),
    ] {
        let failure = failure(status, body);
        assert_eq!(failure.outcome(), outcome, "{body}");
        assert_eq!(failure.to_string(), sentence, "{body}");
    }
    for wrong in [
        r#"{"status":"success","data":{"resultType":"vector","result":{}}}"#,
        r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"a":1},"value":[1,"1"]}]}}"#,
        r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":["1","1"]}]}}"#,
        r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,1]}]}}"#,
        r#"{"status":7}"#,
        "[]",
        "",
    ] {
        assert_eq!(failure(200, wrong).outcome(), "unreadable", "{wrong}");
    }
}

#[test]
fn what_the_server_wrote_is_one_line_of_bounded_length() {
    let long = "x\\n".repeat(400);
    let body = format!(r#"{{"status":"error","errorType":"e","error":"{long}"}}"#);
    let told = failure(400, &body).to_string();
    assert!(!told.contains('\n'), "{told}");
    assert!(told.chars().count() < LONGEST_QUOTE + 60, "{told}");
}

#[test]
fn every_outcome_is_listed() {
    let failures = [
        QueryFailure::Credentials(String::new()),
        QueryFailure::NoAnswer(String::new()),
        QueryFailure::TimedOut(Duration::ZERO),
        QueryFailure::TooLarge(1),
        QueryFailure::Status(500),
        QueryFailure::Refused {
            kind: String::new(),
            message: String::new(),
        },
        QueryFailure::Unreadable(String::new()),
        QueryFailure::NotAVector(String::new()),
    ];
    let words: Vec<&str> = failures.iter().map(QueryFailure::outcome).collect();
    assert_eq!(words, QueryFailure::OUTCOMES);
}
