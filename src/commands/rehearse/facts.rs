//! Which facts of sim/FACTS.md each probe settles; `tests/rehearse.rs` holds both tables against each other.

/// The ids of the facts that a probe settles.
pub(super) fn settled_by(probe: &str) -> &'static [&'static str] {
    FACTS
        .iter()
        .find(|(id, _)| *id == probe)
        .map_or(&[], |(_, facts)| facts)
}

const FACTS: &[(&str, &[&str])] = &[
    ("absent-file", &["F0", "A4", "B3", "S1", "S14"]),
    ("absent-history", &["A5", "B8", "N5"]),
    (
        "absent-ref-and-release",
        &["A2", "A3", "A9", "A37", "B2", "B4", "B5", "M2"],
    ),
    ("activity", &["L8"]),
    (
        "append-refusals",
        &["F4", "R2", "R3", "A13", "A14", "M3", "S4", "S11"],
    ),
    ("append-signature", &["A15", "L3", "L10"]),
    ("append-status-checks", &["F4", "B12"]),
    (
        "artifact-zip",
        &["F1", "R7", "A47", "A48", "M7", "S2", "N10", "N19"],
    ),
    ("asset-lag", &["U7", "A29"]),
    ("asset-names", &["A31", "A32", "S20"]),
    ("asset-redirect", &["S6"]),
    ("classic-protection", &["F4", "B13"]),
    ("clock", &["A71", "B22"]),
    ("comment", &["F7", "A44", "B15", "N1"]),
    ("compare", &["A10", "A74", "A75", "B6"]),
    ("dispatch", &["A46"]),
    ("draft-pull", &["A42", "N15"]),
    ("dropped-reviewers", &["C1"]),
    ("emoji-label", &["N14", "C2"]),
    ("empty-repository", &["A21", "N16", "C4"]),
    ("environment-reviewers", &["F5"]),
    ("free-plan", &["F3", "A23", "S8"]),
    ("ghes", &["U4", "A69", "A70"]),
    ("guarded-append", &["A16", "B10"]),
    ("immutable", &["A72"]),
    (
        "init",
        &[
            "U3", "A12", "A15", "A16", "A19", "A20", "A21", "A22", "B10", "B11", "B14", "M6",
            "S15", "N2", "N16", "C4",
        ],
    ),
    ("labels", &["A43"]),
    ("lag", &["F2", "U7", "A36", "N3"]),
    ("large-append", &["A18"]),
    ("list-lag", &["A36"]),
    ("long-history", &["A6", "B9", "L4"]),
    ("other-workflows", &["A27", "M4", "N20"]),
    ("publish-at", &["A26", "A28", "B23"]),
    ("publish-existing-tag", &["A26"]),
    ("publish-twice", &["A25"]),
    ("pull", &["A41", "A42", "A43", "M10", "N15", "C5"]),
    ("pulls-with-read", &["F6", "M1", "M11", "S12", "S18"]),
    ("query-cost", &["A8"]),
    ("rate-limit-word", &["U1", "R1", "S3"]),
    ("redirect", &["R4", "B20"]),
    ("ref-refusals", &["A40"]),
    ("refused-append", &["F4", "B12"]),
    ("release-text", &["A33", "A34", "B24"]),
    ("rename", &["B21", "S5", "N7"]),
    ("rerun", &["A45", "L11", "B18", "C6"]),
    ("revisions", &["F9", "B1", "N6"]),
    ("rules", &["A7", "M5", "N4"]),
    ("ruleset-names", &["R6", "A24", "S7"]),
    ("runner-cancel", &["A59"]),
    ("runner-container", &["A53", "B31"]),
    ("runner-limits", &["A56", "A60", "B29"]),
    ("secondary-limit", &["U6", "R5", "B27", "N17", "N18"]),
    ("tag-object", &["U2", "A39", "A40", "N13"]),
    ("tag-ruleset", &["A73"]),
    ("upload-headers", &["S9", "S10", "N8", "N9"]),
    ("uploads", &["F8", "A29", "A30", "B28"]),
    ("whole-pull", &["S19"]),
    (
        "whole-release",
        &["A1", "A25", "A35", "B25", "S6", "N12", "C3"],
    ),
    ("whole-tag", &["A38", "L1", "L2"]),
];
