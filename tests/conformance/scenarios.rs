//! What is expected of every interpreter, what one has printed, and where the two differ.

use std::collections::HashMap;
use std::fmt::Write;
use std::path::Path;

/// A scenario of scenarios.txt.
pub struct Scenario {
    pub name: String,
    pub steps: Vec<Step>,
}

/// A step, and what must come of it.
pub struct Step {
    pub text: String,
    pub expected: String,
}

impl Scenario {
    /// Reads scenarios.txt; panics at a line that is not of its format.
    pub fn read(path: &Path) -> Vec<Scenario> {
        let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut scenarios: Vec<Scenario> = Vec::new();
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            if let Some(name) = line.strip_prefix("scenario ") {
                assert!(scenarios.iter().all(|known| known.name != name), "there are two scenarios {name}");
                scenarios.push(Scenario { name: name.to_string(), steps: Vec::new() });
            } else {
                let (text, expected) = line.split_once(" => ").unwrap_or_else(|| panic!("no outcome: {line}"));
                let step = Step { text: text.to_string(), expected: expected.to_string() };
                scenarios.last_mut().expect("a scenario before the first step").steps.push(step);
            }
        }
        scenarios
    }

    /// What the interpreters are given: the same without comments and outcomes.
    pub fn steps_of<'a>(scenarios: impl IntoIterator<Item = &'a Scenario>) -> String {
        let mut steps = String::new();
        for scenario in scenarios {
            let texts = scenario.steps.iter().map(|step| step.text.as_str());
            let lines: Vec<_> = texts.collect();
            writeln!(steps, "scenario {}\n{}", scenario.name, lines.join("\n")).expect("a string");
        }
        steps
    }
}

/// What an interpreter wrote.
pub struct Printed {
    pub output: String,
    /// What went wrong with the interpreter itself.
    pub trouble: Option<String>,
}

impl Printed {
    pub fn nothing(trouble: &str) -> Printed {
        Printed { output: String::new(), trouble: Some(trouble.to_string()) }
    }
}

/// A language's column of the table.
pub struct Column {
    pub name: &'static str,
    pub printed: Printed,
}

impl Column {
    /// The outcomes by scenario and number of the step, each with all that was printed for it.
    fn outcomes(&self) -> HashMap<(&str, usize), Vec<&str>> {
        let mut outcomes: HashMap<_, Vec<_>> = HashMap::new();
        for line in self.printed.output.lines() {
            let mut parts = line.splitn(3, '\t');
            if let (Some(scenario), Some(number), Some(outcome)) = (parts.next(), parts.next(), parts.next()) {
                // Steps count from 1: 0 is the place of what is none.
                outcomes.entry((scenario, number.parse().unwrap_or(0))).or_default().push(outcome);
            }
        }
        outcomes
    }

    /// Where this column differs from what is expected, for a person; empty if nowhere.
    pub fn differences(&self, scenarios: &[Scenario]) -> String {
        let mut outcomes = self.outcomes();
        let mut text = String::new();
        for scenario in scenarios {
            let steps = (1..=scenario.steps.len()).map(|number| outcomes.remove(&(scenario.name.as_str(), number)));
            let printed: Vec<_> = steps.map(Option::unwrap_or_default).collect();
            if printed.iter().all(Vec::is_empty) {
                let _ = writeln!(text, "{}: {}: printed nothing", self.name, scenario.name);
                continue;
            }
            for ((step, printed), number) in scenario.steps.iter().zip(printed).zip(1..) {
                if printed != [step.expected.as_str()] {
                    let printed = if printed.is_empty() { "nothing".to_string() } else { printed.join("\n      and ") };
                    let _ = writeln!(text, "{}: {}, step {number}: {}", self.name, scenario.name, step.text);
                    let _ = writeln!(text, "  expected {}\n  printed  {printed}", step.expected);
                }
            }
        }
        for (scenario, number) in outcomes.keys() {
            let _ = writeln!(text, "{}: printed an outcome for {scenario}, step {number}, which is none", self.name);
        }
        if let Some(trouble) = &self.printed.trouble {
            let _ = writeln!(text, "{}: {trouble}", self.name);
        }
        text
    }

    /// How it did in one scenario.
    fn verdict(&self, scenario: &Scenario) -> &'static str {
        let outcomes = self.outcomes();
        let of = |number| outcomes.get(&(scenario.name.as_str(), number));
        let mut steps = scenario.steps.iter().zip(1..);
        if steps.clone().all(|(_, number)| of(number).is_none()) {
            "missing"
        } else if steps.all(|(step, number)| of(number).is_some_and(|printed| *printed == [step.expected.as_str()])) {
            "ok"
        } else {
            "DIFFERS"
        }
    }
}

/// A row for each scenario, a column for each language.
pub fn table(scenarios: &[Scenario], columns: &[Column]) -> String {
    let width = scenarios.iter().map(|scenario| scenario.name.len()).max().unwrap_or(0);
    let row = |first: &str, cells: Vec<&str>| {
        let cells: String = cells.iter().map(|cell| format!("  {cell:7}")).collect();
        format!("{first:width$}{cells}").trim_end().to_string() + "\n"
    };
    let heading = row("scenario", columns.iter().map(|column| column.name).collect());
    let rows = scenarios
        .iter()
        .map(|scenario| row(&scenario.name, columns.iter().map(|column| column.verdict(scenario)).collect()));
    heading + &rows.collect::<String>()
}
