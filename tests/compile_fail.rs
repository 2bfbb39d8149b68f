//! The way from a receipt to an operation has no other door: these programs must not compile.

#[test]
fn the_way_through_cannot_be_bypassed() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
}
