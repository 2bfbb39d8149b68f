//! A case as its file says it: strictly read, so that a misspelt member is no case that passes.

use countersign_core::tables::{self, Misplaced, Table, Value};

use crate::{
    forge::Forge,
    judge::{Expected, judged},
};

/// One attack that is data.
pub struct Case {
    pub name: String,
    pub code: String,
    pub exit: Option<i64>,
    pub also: Option<Vec<String>>,
    pub says: Option<String>,
    pub operation: Option<String>,
    pub issued: Option<i64>,
    pub expires: Option<i64>,
    pub now: Option<i64>,
    pub github: Option<i64>,
    pub statement: Vec<(String, String)>,
    pub payload_hex: Option<String>,
    pub bytes: Vec<(String, String)>,
    pub payload_type: Option<String>,
    pub signs: Option<String>,
    pub tampered: Vec<(String, String)>,
    pub signers: Option<Vec<String>>,
    pub trusted: Option<Vec<String>>,
    pub envelope: Vec<(String, String)>,
    pub receipt: Option<String>,
    pub receipt_hex: Option<String>,
    pub inputs: Vec<(String, String)>,
    pub variables: Vec<(String, String)>,
    pub world: Vec<String>,
}

/// Reads the cases of a file; one that cannot be read ends the suite.
pub fn read(file: &str, text: &str) -> Vec<Case> {
    let mut table = tables::parse(text).unwrap_or_else(|error| panic!("{file}.toml: {error}"));
    let cases = table
        .tables("case")
        .unwrap_or_else(|error| panic!("{file}.toml: {error}"));
    table
        .end()
        .unwrap_or_else(|error| panic!("{file}.toml: {error}"));
    cases
        .into_iter()
        .map(|case| Case::read(case).unwrap_or_else(|error| panic!("{file}.toml: {error}")))
        .collect()
}

impl Case {
    fn read(mut table: Table<'_>) -> Result<Self, Misplaced> {
        let case = Self {
            name: table.take("name")?.text()?,
            code: table.take("code")?.text()?,
            exit: number(&mut table, "exit")?,
            also: table.take_optional("also").map(texts).transpose()?,
            says: table.take_optional("says").map(Value::text).transpose()?,
            operation: table
                .take_optional("operation")
                .map(Value::text)
                .transpose()?,
            issued: number(&mut table, "issued")?,
            expires: number(&mut table, "expires")?,
            now: number(&mut table, "now")?,
            github: number(&mut table, "github")?,
            statement: table
                .take_optional("statement")
                .map_or(Ok(Vec::new()), pairs)?,
            payload_hex: table
                .take_optional("payload_hex")
                .map(Value::text)
                .transpose()?,
            bytes: table.take_optional("bytes").map_or(Ok(Vec::new()), pairs)?,
            payload_type: table.take_optional("type").map(Value::text).transpose()?,
            signs: table.take_optional("signs").map(Value::text).transpose()?,
            tampered: table
                .take_optional("tampered")
                .map_or(Ok(Vec::new()), pairs)?,
            signers: table.take_optional("signers").map(texts).transpose()?,
            trusted: table.take_optional("trusted").map(texts).transpose()?,
            envelope: table
                .take_optional("envelope")
                .map_or(Ok(Vec::new()), pairs)?,
            receipt: table
                .take_optional("receipt")
                .map(Value::text)
                .transpose()?,
            receipt_hex: table
                .take_optional("receipt_hex")
                .map(Value::text)
                .transpose()?,
            inputs: members(&mut table, "inputs")?,
            variables: members(&mut table, "variables")?,
            world: table.take_optional("world").map_or(Ok(Vec::new()), texts)?,
        };
        table.end()?;
        Ok(case)
    }

    /// Forges what the case says, makes the attempt, and judges it.
    pub fn run(self) {
        let forge = Forge::new(&self);
        let (report, writes) = forge.attempt(&self);
        let expected = Expected {
            code: &self.code,
            exit: self.exit.unwrap_or(3),
            also: self.also.as_deref(),
            says: self.says.as_deref(),
        };
        judged(&forge.stage, &self.name, &expected, &report, writes);
    }
}

fn number(table: &mut Table<'_>, member: &str) -> Result<Option<i64>, Misplaced> {
    table.take_optional(member).map(Value::name).transpose()
}

fn texts(value: Value<'_>) -> Result<Vec<String>, Misplaced> {
    value.list()?.into_iter().map(Value::text).collect()
}

fn pairs(value: Value<'_>) -> Result<Vec<(String, String)>, Misplaced> {
    let pair = |value: Value<'_>| {
        let wrong = value.refuse("expected a pair of texts");
        let mut texts = texts(value)?.into_iter();
        match (texts.next(), texts.next(), texts.next()) {
            (Some(from), Some(to), None) => Ok((from, to)),
            _ => Err(wrong),
        }
    };
    value.list()?.into_iter().map(pair).collect()
}

fn members(table: &mut Table<'_>, member: &str) -> Result<Vec<(String, String)>, Misplaced> {
    let Some(value) = table.take_optional(member) else {
        return Ok(Vec::new());
    };
    value
        .table()?
        .into_members()
        .into_iter()
        .map(|(name, value)| Ok((name, value.text()?)))
        .collect()
}
