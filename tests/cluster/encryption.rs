//! Encryption between the real kube-scheduler and `domicile serve`: who must show what to whom, what
//! kube-scheduler says where something is missing, and certificates that are replaced meanwhile.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use domicile::doctor::{Phase, Situation, examine};
use k8s_openapi::api::admissionregistration::v1::MutatingWebhookConfiguration;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::{DeleteParams, PostParams};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use serde_json::json;

use crate::domicile::{Domicile, DomicileSettings, Facts, shipped};
use crate::objects::{Node, Pod};
use crate::scenario::Scenario;
use crate::scheduler::{ClientTls, Extender, Mode, Scheduler, SchedulerSettings};
use crate::{http, waiting};

const LIMIT: Duration = Duration::from_secs(40);

struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its key as PEM.
struct Pair {
    certificate: String,
    key: String,
}

impl Authority {
    fn new(name: &str) -> Self {
        let key = KeyPair::generate().expect("a key can be generated");
        let mut parameters = CertificateParams::default();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        parameters.distinguished_name.push(DnType::CommonName, name);
        let certificate = parameters
            .self_signed(&key)
            .expect("an authority can sign itself");
        Self {
            pem: certificate.pem(),
            issuer: Issuer::new(parameters, key),
        }
    }

    fn sign(&self, names: &[&str], common_name: &str, purpose: ExtendedKeyUsagePurpose) -> Pair {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut parameters = CertificateParams::new(names).expect("these are valid names");
        parameters
            .distinguished_name
            .push(DnType::CommonName, common_name);
        parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        parameters.extended_key_usages = vec![purpose];
        let key = KeyPair::generate().expect("a key can be generated");
        let certificate = parameters
            .signed_by(&key, &self.issuer)
            .expect("the authority can sign");
        Pair {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        }
    }

    fn server(&self) -> Pair {
        self.sign(&["127.0.0.1"], "domicile", ExtendedKeyUsagePurpose::ServerAuth)
    }

    fn client(&self, common_name: &str) -> Pair {
        self.sign(&[], common_name, ExtendedKeyUsagePurpose::ClientAuth)
    }
}

/// Writes a file as a whole, so that no reader sees half of it.
fn write(path: &Path, text: &str) -> PathBuf {
    let beside = path.with_extension("new");
    std::fs::write(&beside, text).expect("the temporary folder can be written");
    std::fs::rename(&beside, path).expect("the temporary folder can be written");
    path.to_owned()
}

/// A `domicile serve` whose address for kube-scheduler is encrypted.
struct Encrypted {
    domicile: Domicile,
    admin: SocketAddr,
}

impl Encrypted {
    async fn start(scenario: &Scenario, flags: &[(&str, &Path)]) -> Self {
        let [port] = waiting::free_ports();
        let admin = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut further_arguments = vec![format!("--admin-listen={admin}")];
        for (flag, path) in flags {
            further_arguments.push(format!("--tls-{flag}={}", path.display()));
        }
        let domicile = scenario.start_domicile(DomicileSettings {
            policies: Some(shipped("policies")),
            data_sets: shipped("defaults/data-sets.yaml"),
            latency: shipped("defaults/latency.csv"),
            facts: Facts::Cluster(scenario.plane.administrator()),
            admission: None,
            settings: Vec::new(),
            further_arguments,
        });
        waiting::until("domicile is ready", LIMIT, async || {
            match http::exchange(admin, "GET", "/readyz", b"").await {
                Ok(response) if response.status == 200 => Ok(()),
                Ok(response) => Err(response.text()),
                Err(error) => Err(error.to_string()),
            }
        })
        .await;
        Self { domicile, admin }
    }

    fn url(&self) -> String {
        format!("https://{}", self.domicile.address())
    }

    async fn metric(&self, line: &str) -> Option<u64> {
        let response = http::exchange(self.admin, "GET", "/metrics", b"").await;
        let text = response.expect("domicile answers").text();
        let value = text.lines().find_map(|found| found.strip_prefix(line))?;
        value.trim().parse().ok()
    }
}

/// A kube-scheduler of its own name whose extender is there.
async fn scheduler(scenario: &Scenario, name: &str, url: &str, tls: ClientTls) -> Scheduler {
    let extender = Extender {
        tls: Some(tls),
        // An answer that is waited for on a busy machine is no failure.
        timeout_ms: 10_000,
        ..Extender::at(url, Mode::NamesOnly)
    };
    let mut settings = SchedulerSettings::with_extenders([extender]);
    settings.scheduler_names = vec![name.to_owned()];
    scenario.start_scheduler(name, &settings).await
}

#[tokio::test(flavor = "multi_thread")]
async fn kube_scheduler_shows_its_certificate_or_its_pods_wait_with_the_reason() {
    let scenario = Scenario::begin("mutual-tls").await;
    let cluster = &scenario.cluster;
    cluster.create_nodes([Node::named("only")]).await;
    let at = |name: &str| scenario.directory.join(name);
    let (servers, clients, others) = (
        Authority::new("servers"),
        Authority::new("clients"),
        Authority::new("others"),
    );
    let server = servers.server();
    let serve = Encrypted::start(
        &scenario,
        &[
            ("certificate", &write(&at("tls.crt"), &server.certificate)),
            ("key", &write(&at("tls.key"), &server.key)),
            ("client-ca", &write(&at("clients.crt"), &clients.pem)),
            ("client-names", Path::new("system:kube-scheduler")),
        ],
    )
    .await;
    let ca = write(&at("servers.crt"), &servers.pem);
    let shown = |name: &str, pair: &Pair| {
        let certificate = write(&at(&format!("{name}.crt")), &pair.certificate);
        Some((certificate, write(&at(&format!("{name}.key")), &pair.key)))
    };
    let tls = |authority: &Path, client| ClientTls {
        authority: authority.to_owned(),
        client,
        server_name: None,
    };
    let url = serve.url();

    let known = tls(&ca, shown("known", &clients.client("system:kube-scheduler")));
    let _known = scheduler(&scenario, "known", &url, known).await;
    let bound = cluster
        .create_pod(&Pod::named("bound").scheduled_by("known"))
        .await;
    assert_eq!(cluster.until_bound(&bound, LIMIT).await, "only");
    assert_eq!(cluster.scheduling_failures(&bound).await, Vec::<String>::new());

    let mistrusted = write(&at("others.crt"), &others.pem);
    for (name, tls, expected) in [
        (
            "silent",
            tls(&ca, None),
            "remote error: tls: certificate required",
        ),
        (
            "foreign",
            tls(&ca, shown("foreign", &others.client("system:kube-scheduler"))),
            "remote error: tls: unknown certificate authority",
        ),
        (
            "unlisted",
            tls(
                &ca,
                shown("unlisted", &clients.client("system:kube-controller-manager")),
            ),
            "code 403",
        ),
        (
            "mistrusting",
            tls(
                &mistrusted,
                shown("mistrusting", &clients.client("system:kube-scheduler")),
            ),
            "certificate signed by unknown authority",
        ),
    ] {
        let refused = scheduler(&scenario, name, &url, tls).await;
        let pod = cluster.create_pod(&Pod::named(name).scheduled_by(name)).await;
        cluster.until_refused(&pod, expected, LIMIT).await;
        let log = std::fs::read_to_string(refused.log()).expect("kube-scheduler logs");
        assert!(
            log.contains(expected),
            "{name}: its log does not say `{expected}`"
        );
        cluster.expect_pending_for(&pod, Duration::from_secs(1)).await;
    }
    for reason in ["missing", "untrusted", "not-listed"] {
        let line = format!("domicile_tls_refused_clients_total{{address=\"extender\",reason=\"{reason}\"}}");
        assert!(serve.metric(&line).await > Some(0), "{reason}");
    }

    // What the doctor says of the same files.
    for (name, expected) in [("known", false), ("silent", true)] {
        let text = std::fs::read_to_string(at(&format!("{name}.json"))).expect("the configuration is there");
        let situation = Situation {
            nodes: Some(1),
            phase: Phase::Enforce,
            admission: false,
            extender_url: Some(url.clone()),
            definitions: Vec::new(),
        };
        let findings = examine(&text, &situation).findings;
        let of_transport = |code: &str| findings.iter().any(|finding| finding.code == code);
        for code in ["D12", "D13", "D14", "D15", "D16", "D19", "D24"] {
            assert!(!of_transport(code), "{name}: {findings:?}");
        }
        assert_eq!(of_transport("D25"), expected, "{name}: {findings:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_of_both_sides_rotate_while_pods_are_scheduled_and_no_pod_fails() {
    const PODS: usize = 90;
    let scenario = Scenario::begin("rotation").await;
    let cluster = &scenario.cluster;
    let nodes = (0..3).map(|number| Node::named(format!("node-{number}")));
    cluster.create_nodes(nodes).await;
    let at = |name: &str| scenario.directory.join(name);
    let (servers, clients) = (Authority::new("servers"), Authority::new("clients"));
    let rotate_server = || {
        let pair = servers.server();
        // The key belongs to the certificate a moment later.
        write(&at("tls.crt"), &pair.certificate);
        write(&at("tls.key"), &pair.key);
    };
    let rotate_client = || {
        let pair = clients.client("system:kube-scheduler");
        write(&at("client.crt"), &pair.certificate);
        write(&at("client.key"), &pair.key);
    };
    rotate_server();
    rotate_client();
    let serve = Encrypted::start(
        &scenario,
        &[
            ("certificate", &at("tls.crt")),
            ("key", &at("tls.key")),
            ("client-ca", &write(&at("clients.crt"), &clients.pem)),
        ],
    )
    .await;
    let tls = ClientTls {
        authority: write(&at("servers.crt"), &servers.pem),
        client: Some((at("client.crt"), at("client.key"))),
        server_name: None,
    };
    let mut schedulers = Vec::new();
    let mut pods = Vec::new();
    for number in 0..PODS {
        // Each scheduler opens its connection at its first pod, in the midst of the rotations.
        if number % 30 == 0 {
            let name = format!("scheduler-{}", schedulers.len());
            schedulers.push(scheduler(&scenario, &name, &serve.url(), tls.clone()).await);
        }
        if number % 3 == 0 {
            rotate_server();
        }
        if number % 30 == 29 {
            rotate_client();
        }
        let by = format!("scheduler-{}", number % schedulers.len());
        let pod = Pod::named(format!("pod-{number}")).cpu("10m").scheduled_by(&by);
        pods.push(cluster.create_pod(&pod).await);
        tokio::time::sleep(Duration::from_millis(60)).await;
    }
    for pod in &pods {
        cluster.until_bound(pod, LIMIT).await;
        assert_eq!(cluster.scheduling_failures(pod).await, Vec::<String>::new());
    }
    for scheduler in &schedulers {
        let metrics = scheduler.metrics().await;
        assert!(
            !metrics.contains("result=\"error\""),
            "an extender failed:\n{metrics}"
        );
    }
    let reloads = serve
        .metric("domicile_tls_reloads_total{address=\"extender\"}")
        .await;
    assert!(reloads > Some(10), "only {reloads:?} rotations were seen");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_script_makes_what_the_webhook_is_served_with_and_rotates_it() {
    const HOST: &str = "domicile-admission.domicile-system.svc";
    let scenario = Scenario::begin("webhook-certificate").await;
    let cluster = &scenario.cluster;
    cluster.create_nodes([Node::named("only")]).await;
    cluster.create_namespace("domicile-system", &[]).await;
    let at = |name: &str| scenario.directory.join(name);
    let run = |arguments: &[&str]| {
        let script = shipped("deploy/tls/webhook-certificate");
        let output = Command::new(script)
            .arg(at("authority"))
            .args(arguments)
            .env("KUBECONFIG", scenario.plane.administrator())
            .output()
            .expect("the script can be started");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}{complaint}");
        said
    };
    let secrets: Api<Secret> = Api::namespaced(cluster.client.clone(), "domicile-system");
    // What the kubelet would do.
    let mount = async || {
        let secret = secrets.get("domicile-admission-tls").await.expect("the Secret");
        assert_eq!(secret.type_.as_deref(), Some("kubernetes.io/tls"));
        let files = secret.data.expect("the Secret holds files");
        for name in ["tls.crt", "tls.key", "ca.crt"] {
            let text = String::from_utf8(files[name].0.clone()).expect("PEM is text");
            write(&at(name), &text);
        }
    };

    // Before the manifests: the certificate is there, and nobody to trust it.
    assert!(run(&[]).contains("no webhook configuration of ours is there yet"));
    mount().await;
    let webhooks: Api<MutatingWebhookConfiguration> = Api::all(cluster.client.clone());
    let webhook = |name: &str| {
        json!({
            "name": name, "admissionReviewVersions": ["v1"], "sideEffects": "None", "failurePolicy": "Ignore",
            "clientConfig": {"service": {"namespace": "domicile-system", "name": "domicile-admission"}},
            // Nothing is made of this kind here.
            "rules": [{"apiGroups": ["nothing.domicile.dev"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["nothings"]}],
        })
    };
    let configuration = json!({
        "metadata": {"name": "domicile-admission"},
        "webhooks": [webhook("first.domicile.dev"), webhook("second.domicile.dev")],
    });
    let configuration = serde_json::from_value(configuration).expect("a configuration");
    webhooks
        .create(&PostParams::default(), &configuration)
        .await
        .expect("the API server takes the webhooks");

    let serve = Encrypted::start(
        &scenario,
        &[("certificate", &at("tls.crt")), ("key", &at("tls.key"))],
    )
    .await;
    let mut authorities = Vec::new();
    let mut certificates = Vec::new();
    // The first rotation trusts two authorities, and the one after it again only the new one.
    for (round, arguments, trusted) in [
        ("first", &[][..], 1),
        ("second", &["--new-authority", "--days", "30"][..], 2),
        ("third", &[][..], 1),
    ] {
        let said = run(arguments);
        assert!(!said.contains("no webhook configuration"), "{said}");
        mount().await;
        certificates.push(std::fs::read_to_string(at("tls.crt")).expect("the certificate"));
        let registered = webhooks.get("domicile-admission").await.expect("the webhooks");
        let bundles: Vec<String> = registered
            .webhooks
            .into_iter()
            .flatten()
            .map(|webhook| {
                String::from_utf8(webhook.client_config.ca_bundle.expect("a bundle").0).expect("PEM")
            })
            .collect();
        assert_eq!(bundles.len(), 2);
        assert_eq!(bundles[0], bundles[1]);
        assert_eq!(
            bundles[0],
            std::fs::read_to_string(at("ca.crt")).expect("the authority")
        );
        assert_eq!(
            bundles[0].matches("BEGIN CERTIFICATE").count(),
            trusted,
            "{round}"
        );
        let reloads = certificates.len() as u64;
        waiting::until("the new certificate is served", LIMIT, async || {
            let line = "domicile_tls_reloads_total{address=\"extender\"}";
            let seen = serve.metric(line).await;
            if seen == Some(reloads) {
                Ok(())
            } else {
                Err(format!("{seen:?}"))
            }
        })
        .await;
        // Go verifies it as the API server does: by the bundle and the name of the Service.
        let tls = ClientTls {
            authority: write(&at(&format!("bundle-{round}.crt")), &bundles[0]),
            client: None,
            server_name: Some(HOST.to_owned()),
        };
        let _scheduler = scheduler(&scenario, round, &serve.url(), tls).await;
        let pod = cluster.create_pod(&Pod::named(round).scheduled_by(round)).await;
        assert_eq!(cluster.until_bound(&pod, LIMIT).await, "only");
        authorities.push(bundles[0].clone());
    }
    assert!(
        authorities[1].contains(authorities[0].trim()),
        "the one before is still trusted"
    );
    assert!(
        authorities[1].contains(authorities[2].trim()),
        "and the new one already"
    );
    certificates.dedup();
    assert_eq!(certificates.len(), 3);
    webhooks
        .delete("domicile-admission", &DeleteParams::default())
        .await
        .expect("the webhooks can be deleted");
}
