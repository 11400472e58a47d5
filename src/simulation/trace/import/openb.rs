//! The CSV pair of a published cluster trace ("openb", Alibaba gpu-v2023), into a trace.
//!
//! Inputs: nodes as `sn,cpu_milli,memory_mib,gpu,model`, and pods as `name,cpu_milli,memory_mib,num_gpu,gpu_milli,
//! gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time` in seconds; columns may stand in any order. Outputs:
//! every node at `t` 0, every pod from its creation to its deletion. Invariants: a row that cannot be read is a problem.
//! What Kubernetes has no words for is written in those of the scheduler that wrote the trace: a share of a GPU is so many
//! thousandths of the resource [`GPU`], summed over the node; the models that a pod takes are values of the label
//! [`GPU_MODEL`]. Deliberately absent: which GPU of a node a share is of; when and where each pod ran, for that is what a
//! simulation finds.

use csv::{ReaderBuilder, StringRecord, Trim};

use crate::simulation::kube::Quantity;
use crate::simulation::kube::spec::{
    Affinity, NodeAffinity, NodeSelector, NodeSelectorOperator, NodeSelectorRequirement, NodeSelectorTerm,
    NodeSpec, PodSpec, ResourceList,
};
use crate::simulation::trace::error::meant;
use crate::simulation::trace::{Event, Header, NamedPod, Trace, TraceNode, TracePod, What};

/// Thousandths of GPUs, as the GPU-sharing plug-in of the same company names them.
pub const GPU: &str = "alibabacloud.com/gpu-milli";
/// The label of the model of a node's GPUs.
pub const GPU_MODEL: &str = "alibabacloud.com/gpu-card-model";
/// The label of a pod's quality of service.
pub const QOS: &str = "qos";
/// The namespace of the pods, which the files do not have.
pub const NAMESPACE: &str = "openb";

/// Thousandths of a GPU.
const MILLI_OF_GPU: u32 = 1_000;
/// Milliseconds of a second.
const MS_PER_SECOND: u64 = 1_000;
/// What a kubelet takes unless told otherwise; the files do not say.
const PODS_OF_NODE: u32 = 110;

const NODE_COLUMNS: [&str; 5] = ["sn", "cpu_milli", "memory_mib", "gpu", "model"];
const POD_COLUMNS: [&str; 11] = [
    "name",
    "cpu_milli",
    "memory_mib",
    "num_gpu",
    "gpu_milli",
    "gpu_spec",
    "qos",
    "pod_phase",
    "creation_time",
    "deletion_time",
    "scheduled_time",
];

/// How to import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OpenbOptions {
    /// Whether pods stay once they are there, as in the experiments that were published with the trace: so they
    /// ask for 98% of the GPUs. With their deletions there are 56 at once at most (both counted in the files of 2023).
    pub keep_pods: bool,
}

/// Makes a trace of the pair; both are (name, text).
///
/// # Errors
/// Every problem, each with the name and line of its file.
pub fn import_openb(
    nodes: (&str, &str),
    pods: (&str, &str),
    options: OpenbOptions,
) -> Result<Trace, Vec<String>> {
    let mut problems = Vec::new();
    let mut events = Vec::new();
    read_rows(nodes, &NODE_COLUMNS, &mut problems, |row| {
        events.push(Event {
            t_ms: 0,
            what: What::NodeAdd(Box::new(node(row)?)),
        });
        Ok(())
    });
    read_rows(pods, &POD_COLUMNS, &mut problems, |row| {
        let (created, deleted) = (row.seconds("creation_time")?, row.seconds("deletion_time")?);
        let pod = pod(row)?;
        let uid = pod.uid.clone();
        let created = created.ok_or("`creation_time` is empty")?;
        events.push(Event {
            t_ms: created,
            what: What::PodCreate(Box::new(pod)),
        });
        if let Some(deleted) = deleted.filter(|_| !options.keep_pods) {
            if deleted < created {
                return Err("`deletion_time` is before `creation_time`".to_owned());
            }
            events.push(Event {
                t_ms: deleted,
                what: What::PodDelete(NamedPod { uid }),
            });
        }
        Ok(())
    });
    if !problems.is_empty() {
        return Err(problems);
    }
    // Stable, so that a pod that lives no second is created before it is deleted.
    events.sort_by_key(|event| event.t_ms);
    let mut header = Header::new("openb");
    header.notes = vec![
        format!(
            "a share of a GPU is so many thousandths of `{GPU}`, summed over a node: that it must be of one GPU is left out"
        ),
        format!("nodes take {PODS_OF_NODE} pods, for the files do not say how many"),
        "when each pod was scheduled is left out".to_owned(),
    ];
    if options.keep_pods {
        header
            .notes
            .push("the deletions of pods are left out: whatever has a place keeps it".to_owned());
    }
    Ok(Trace { header, events })
}

fn node(row: &Row<'_>) -> Result<TraceNode, String> {
    let mut allocatable = ResourceList::from([
        ("cpu".to_owned(), Quantity::millis(row.number("cpu_milli")?)),
        (
            "memory".to_owned(),
            Quantity::mebibytes(row.number("memory_mib")?),
        ),
        ("pods".to_owned(), Quantity::whole(PODS_OF_NODE)),
    ]);
    let gpus = row.number("gpu")?;
    if gpus > 0 {
        let thousandths = gpus.checked_mul(MILLI_OF_GPU).ok_or("`gpu` is too large")?;
        allocatable.insert(GPU.to_owned(), Quantity::whole(thousandths));
    }
    let model = row.text("model")?;
    let model = (!model.is_empty()).then(|| (GPU_MODEL.to_owned(), model.to_owned()));
    Ok(TraceNode {
        provider_id: None,
        spec: NodeSpec {
            name: row.stated("sn")?.to_owned(),
            labels: model.into_iter().collect(),
            allocatable,
            taints: Vec::new(),
            unschedulable: false,
        },
    })
}

fn pod(row: &Row<'_>) -> Result<TracePod, String> {
    let mut requests = ResourceList::from([
        ("cpu".to_owned(), Quantity::millis(row.number("cpu_milli")?)),
        (
            "memory".to_owned(),
            Quantity::mebibytes(row.number("memory_mib")?),
        ),
    ]);
    let (gpus, share) = (row.number("num_gpu")?, row.number("gpu_milli")?);
    if share > MILLI_OF_GPU {
        return Err(format!(
            "`gpu_milli` is {share}, more than the {MILLI_OF_GPU} of a GPU"
        ));
    }
    if gpus > 0 {
        let thousandths = gpus.checked_mul(share).ok_or("`num_gpu` is too large")?;
        requests.insert(GPU.to_owned(), Quantity::whole(thousandths));
    }
    requests.retain(|_, amount| *amount > Quantity::default());
    let models: Vec<String> = row
        .text("gpu_spec")?
        .split('|')
        .filter(|model| !model.is_empty())
        .map(str::to_owned)
        .collect();
    let name = row.stated("name")?;
    let qos = row.text("qos")?;
    let qos = (!qos.is_empty()).then(|| (QOS.to_owned(), qos.to_owned()));
    Ok(TracePod {
        uid: name.to_owned(),
        owner: None,
        annotations: std::collections::BTreeMap::new(),
        spec: PodSpec {
            namespace: NAMESPACE.to_owned(),
            name: name.to_owned(),
            labels: qos.into_iter().collect(),
            requests,
            affinity: (!models.is_empty()).then(|| on_models(models)),
            ..PodSpec::default()
        },
    })
}

/// That a node has GPUs of one of these models.
fn on_models(models: Vec<String>) -> Affinity {
    let requirement = NodeSelectorRequirement {
        key: GPU_MODEL.to_owned(),
        operator: NodeSelectorOperator::In,
        values: models,
    };
    let term = NodeSelectorTerm {
        match_expressions: vec![requirement],
        match_fields: Vec::new(),
    };
    Affinity {
        node_affinity: Some(NodeAffinity {
            required: Some(NodeSelector {
                node_selector_terms: vec![term],
            }),
            preferred: Vec::new(),
        }),
        ..Affinity::default()
    }
}

/// A row, whose cells are found by the names of their columns.
struct Row<'a> {
    header: &'a StringRecord,
    cells: &'a StringRecord,
}

impl Row<'_> {
    fn text(&self, column: &str) -> Result<&str, String> {
        let position = self.header.iter().position(|name| name == column);
        let cell = position.and_then(|position| self.cells.get(position));
        cell.ok_or_else(|| format!("`{column}` is missing"))
    }

    fn stated(&self, column: &str) -> Result<&str, String> {
        match self.text(column)? {
            "" => Err(format!("`{column}` is empty")),
            text => Ok(text),
        }
    }

    fn number(&self, column: &str) -> Result<u32, String> {
        let text = self.stated(column)?;
        text.parse()
            .map_err(|_| format!("`{column}` is no whole number: `{text}`"))
    }

    /// A time in milliseconds, where it is stated in seconds.
    fn seconds(&self, column: &str) -> Result<Option<u64>, String> {
        let text = self.text(column)?;
        if text.is_empty() {
            return Ok(None);
        }
        let seconds: Option<u64> = text.parse().ok();
        let ms = seconds.and_then(|seconds| seconds.checked_mul(MS_PER_SECOND));
        ms.map(Some)
            .ok_or_else(|| format!("`{column}` is no whole number of seconds: `{text}`"))
    }
}

fn read_rows(
    (file, text): (&str, &str),
    columns: &[&str],
    problems: &mut Vec<String>,
    mut read: impl FnMut(&Row<'_>) -> Result<(), String>,
) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = ReaderBuilder::new().trim(Trim::All).from_reader(text.as_bytes());
    let header = match reader.headers() {
        Ok(header) => header.clone(),
        Err(error) => {
            problems.push(format!("{file}: this is no CSV: {error}"));
            return;
        }
    };
    let before = problems.len();
    for column in columns {
        if !header.iter().any(|name| name == *column) {
            problems.push(format!("{file}:1: the column `{column}` is missing"));
        }
    }
    for name in header.iter().filter(|name| !columns.contains(name)) {
        problems.push(format!(
            "{file}:1: unknown column `{name}`; {}",
            meant(name, columns)
        ));
    }
    if problems.len() > before {
        return;
    }
    for cells in reader.records() {
        match cells {
            Ok(cells) => {
                let row = Row {
                    header: &header,
                    cells: &cells,
                };
                if let Err(problem) = read(&row) {
                    let line = cells.position().map_or(0, csv::Position::line);
                    problems.push(format!("{file}:{line}: {problem}"));
                }
            }
            Err(error) => problems.push(format!("{file}: this is no CSV: {error}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODES: &str = "sn,cpu_milli,memory_mib,gpu,model\nn0,32000,262144,0,\nn1,64000,131072,2,P100\n";
    const PODS: &str = "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,\
                        deletion_time,scheduled_time\n\
                        p0,12000,16384,1,460,P100|T4,LS,Running,3,9,4\n\
                        p1,500,0,0,0,,BE,Pending,1,1,\n\
                        p2,500,1024,8,1000,,BE,Pending,2,,\n";

    fn written(trace: &Trace) -> Vec<String> {
        let mut bytes = Vec::new();
        trace.write(&mut bytes).expect("memory takes it");
        let text = String::from_utf8(bytes).expect("text");
        Trace::read("t", text.as_bytes()).expect("the reader takes what is imported");
        text.lines().skip(1).map(str::to_owned).collect()
    }

    #[test]
    fn rows_become_nodes_and_the_lives_of_pods() {
        let trace =
            import_openb(("nodes.csv", NODES), ("pods.csv", PODS), OpenbOptions::default()).expect("a trace");
        assert_eq!(
            written(&trace),
            [
                r#"{"t":0,"ev":"node.add","spec":{"name":"n0","allocatable":{"cpu":"32","memory":"256Gi","pods":"110"}}}"#,
                r#"{"t":0,"ev":"node.add","spec":{"name":"n1","labels":{"alibabacloud.com/gpu-card-model":"P100"},"allocatable":{"alibabacloud.com/gpu-milli":"2000","cpu":"64","memory":"128Gi","pods":"110"}}}"#,
                r#"{"t":1000,"ev":"pod.create","uid":"p1","spec":{"namespace":"openb","name":"p1","labels":{"qos":"BE"},"requests":{"cpu":"500m"}}}"#,
                r#"{"t":1000,"ev":"pod.delete","uid":"p1"}"#,
                r#"{"t":2000,"ev":"pod.create","uid":"p2","spec":{"namespace":"openb","name":"p2","labels":{"qos":"BE"},"requests":{"alibabacloud.com/gpu-milli":"8000","cpu":"500m","memory":"1Gi"}}}"#,
                r#"{"t":3000,"ev":"pod.create","uid":"p0","spec":{"namespace":"openb","name":"p0","labels":{"qos":"LS"},"requests":{"alibabacloud.com/gpu-milli":"460","cpu":"12","memory":"16Gi"},"affinity":{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[{"matchExpressions":[{"key":"alibabacloud.com/gpu-card-model","operator":"In","values":["P100","T4"]}]}]}}}}}"#,
                r#"{"t":9000,"ev":"pod.delete","uid":"p0"}"#,
            ]
        );
    }

    #[test]
    fn pods_stay_where_that_is_asked_for() {
        let options = OpenbOptions { keep_pods: true };
        let trace = import_openb(("nodes.csv", NODES), ("pods.csv", PODS), options).expect("a trace");
        assert_eq!((trace.events.len(), trace.header.notes.len()), (5, 4));
        assert!(written(&trace).iter().all(|line| !line.contains("pod.delete")));
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_line() {
        let problems = |nodes: &str, pods: &str| {
            import_openb(("nodes.csv", nodes), ("pods.csv", pods), OpenbOptions::default())
                .expect_err("problems")
        };
        let pods = PODS
            .replace("12000", "lots")
            .replace("p2,500,1024", "p2,500,")
            .replace("3,9,4", "9,3,4");
        assert_eq!(
            problems(NODES, &pods.replace("lots", "12000")),
            [
                "pods.csv:2: `deletion_time` is before `creation_time`",
                "pods.csv:4: `memory_mib` is empty"
            ]
        );
        assert_eq!(
            problems(NODES, &pods)[0],
            "pods.csv:2: `cpu_milli` is no whole number: `lots`"
        );
        assert_eq!(
            problems(&NODES.replace("gpu,", "gpus,"), PODS),
            [
                "nodes.csv:1: the column `gpu` is missing",
                "nodes.csv:1: unknown column `gpus`; did you mean `gpu`?"
            ]
        );
        assert!(problems("sn,sn\n\"", PODS)[0].starts_with("nodes.csv:1: the column `cpu_milli` is missing"));
    }
}
