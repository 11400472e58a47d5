//! Which path does what, and from each outcome to a response.

use std::time::Instant;

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, ContentType, HeaderValue};
use actix_web::web::{self, Bytes, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};

use super::admin::{index, livez, readyz};
use super::admit::admit;
use super::body::{BodyError, read_body};
use super::decide::{filter, preempt, prioritize};
use super::latency::latency;
use super::observe;
use super::pieces::Pieces;
use super::sentence::sentence;
use super::state::ServerState;
use super::turns::Busy;
use crate::decisions::Verb;
use crate::extender::{
    AnswerBody, BadRequest, filter_survivors, preemption_candidates, read_arguments,
    read_preemption_arguments,
};
use crate::snapshot::NAMES_AT_ONCE;

/// What kube-scheduler asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Question {
    Filter,
    Prioritize,
    Preempt,
}

impl Question {
    fn verb(self) -> Verb {
        match self {
            Self::Filter => Verb::Filter,
            Self::Prioritize => Verb::Prioritize,
            Self::Preempt => Verb::Preempt,
        }
    }
}

/// Every route, for a server with one address.
pub fn configure(service: &mut ServiceConfig) {
    admin_routes(service);
    configure_extender(service);
}

/// What kube-scheduler calls.
pub fn configure_extender(service: &mut ServiceConfig) {
    service
        .service(post("/filter", Question::Filter))
        .service(post("/prioritize", Question::Prioritize))
        .service(post("/preempt", Question::Preempt));
    everything_else(service);
}

/// What API servers call, for an address of its own.
pub fn configure_admission(service: &mut ServiceConfig) {
    service
        .service(review("/mutate", Verb::Mutate))
        .service(review("/validate", Verb::Validate));
    everything_else(service);
}

/// What operators call, for an address of its own.
pub fn configure_admin(service: &mut ServiceConfig) {
    admin_routes(service);
    everything_else(service);
}

fn admin_routes(service: &mut ServiceConfig) {
    let only_get = || web::to(only_get);
    service
        .service(web::resource("/livez").get(livez).default_service(only_get()))
        .service(web::resource("/readyz").get(readyz).default_service(only_get()))
        .service(web::resource("/latency").get(latency).default_service(only_get()))
        .service(
            web::resource("/metrics")
                .get(observe::metrics)
                .default_service(only_get()),
        );
}

fn everything_else(service: &mut ServiceConfig) {
    service
        .service(web::resource("/").get(index).default_service(web::to(only_get)))
        .default_service(web::to(not_found));
}

fn post(path: &'static str, question: Question) -> actix_web::Resource {
    web::resource(path)
        .post(
            move |state: Data<ServerState>, request: HttpRequest, payload: Payload| async move {
                answer(question, &state, &request, payload).await
            },
        )
        .default_service(web::to(only_post))
}

fn review(path: &'static str, verb: Verb) -> actix_web::Resource {
    web::resource(path)
        .post(
            move |state: Data<ServerState>, request: HttpRequest, payload: Payload| {
                admit(verb, state, request, payload)
            },
        )
        .default_service(web::to(only_post))
}

async fn answer(
    question: Question,
    state: &ServerState,
    request: &HttpRequest,
    payload: Payload,
) -> HttpResponse {
    let verb = question.verb();
    // The type of the content is not looked at: a body shows by itself what it is.
    let body = match read_body(request, payload, &state.bodies).await {
        Ok(body) => body,
        Err(error) => return no_body(state, verb, &error),
    };
    if let Err(busy) = state.turns.next().await {
        return no_turn(state, verb, &busy);
    }
    let started = Instant::now();
    let now = (state.clock)();
    let Some(snapshot) = state.world() else {
        return before_ready(question, state, body.bytes());
    };
    let decided = match question {
        Question::Filter => filter(&snapshot, body.bytes(), now, state.answers),
        Question::Prioritize => prioritize(&snapshot, body.bytes(), now),
        Question::Preempt => preempt(&snapshot, body.bytes(), now),
    };
    match decided {
        Ok(decided) => {
            observe::decided(state, verb, &decided, now, started.elapsed());
            answered(decided.answer, body.bytes())
        }
        Err(error) => bad_request(state, verb, &error),
    }
}

/// Answers while a source is missing: pods of exempt namespaces pass, or a cluster whose own pods wait
/// for us never comes up; all others get a failure that the scheduler soon tries again (docs/policies.md, 6).
fn before_ready(question: Question, state: &ServerState, body: &Bytes) -> HttpResponse {
    let verb = question.verb();
    let unknown = |_: [&[u8]; NAMES_AT_ONCE]| [None; NAMES_AT_ONCE];
    let answer = match question {
        Question::Filter | Question::Prioritize => read_arguments(body, unknown).map(|arguments| {
            let exempt = state
                .exempt_before_ready
                .load()
                .contains(&arguments.pod.namespace);
            exempt.then(|| match question {
                Question::Filter => {
                    let candidates = &arguments.candidates;
                    filter_survivors(candidates, candidates.nodes.len(), |_| true)
                }
                _ => AnswerBody::Written(b"[]".to_vec()),
            })
        }),
        Question::Preempt => read_preemption_arguments(body, unknown).map(|arguments| {
            let exempt = state
                .exempt_before_ready
                .load()
                .contains(&arguments.pod.namespace);
            exempt.then(|| {
                AnswerBody::Written(preemption_candidates(&arguments.nodes, |node| {
                    !node.uids.is_empty()
                }))
            })
        }),
    };
    match answer {
        Ok(Some(answer)) => answered(answer, body),
        Ok(None) => {
            observe::failed(state, verb, "not-ready");
            let missing = state.missing().join(" and ");
            sentence(
                StatusCode::SERVICE_UNAVAILABLE,
                format!("not ready: waiting for {missing}"),
            )
        }
        Err(error) => bad_request(state, verb, &error),
    }
}

/// The response with an answer to this body.
fn answered(answer: AnswerBody<'_>, body: &Bytes) -> HttpResponse {
    match answer {
        AnswerBody::Written(answer) => json(answer),
        AnswerBody::WholeList(list) => {
            let [before, behind] = AnswerBody::AROUND_WHOLE_LIST.map(Bytes::from_static);
            HttpResponse::Ok()
                .content_type(ContentType::json())
                .body(Pieces::new([before, body.slice_ref(list), behind]))
        }
    }
}

pub(super) fn json(answer: Vec<u8>) -> HttpResponse {
    HttpResponse::Ok().content_type(ContentType::json()).body(answer)
}

fn bad_request(state: &ServerState, verb: Verb, error: &BadRequest) -> HttpResponse {
    observe::failed(state, verb, error.code());
    sentence(StatusCode::BAD_REQUEST, error.to_string())
}

pub(super) fn no_body(state: &ServerState, verb: Verb, error: &BodyError) -> HttpResponse {
    let (status, code) = match error {
        BodyError::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "body-too-large"),
        BodyError::TooManyInFlight { .. } => (StatusCode::SERVICE_UNAVAILABLE, "bodies-in-flight"),
        BodyError::TooSlow => (StatusCode::REQUEST_TIMEOUT, "body-too-slow"),
        BodyError::Broken => (StatusCode::BAD_REQUEST, "body-broken"),
    };
    observe::failed(state, verb, code);
    sentence(status, error.to_string())
}

/// Says at once that there is no time for a request: kube-scheduler tries the pod again in a moment.
pub(super) fn no_turn(state: &ServerState, verb: Verb, busy: &Busy) -> HttpResponse {
    observe::failed(state, verb, busy.code());
    sentence(StatusCode::SERVICE_UNAVAILABLE, busy.to_string())
}

async fn only_post(request: HttpRequest) -> HttpResponse {
    wrong_method(&request, "POST")
}

async fn only_get(request: HttpRequest) -> HttpResponse {
    wrong_method(&request, "GET")
}

fn wrong_method(request: &HttpRequest, allowed: &'static str) -> HttpResponse {
    let text = format!("{} takes {allowed} and nothing else", request.path());
    let mut response = sentence(StatusCode::METHOD_NOT_ALLOWED, text);
    let allowed = HeaderValue::from_static(allowed);
    response.headers_mut().insert(ALLOW, allowed);
    response
}

async fn not_found() -> HttpResponse {
    sentence(
        StatusCode::NOT_FOUND,
        "there is nothing here; the routes are listed at /",
    )
}
