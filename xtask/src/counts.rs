//! Reads from a suite's output how many tests passed and failed.

use std::ops::AddAssign;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub passed: usize,
    pub failed: usize,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

/// The sum of cargo's lines `test result: ok. 3 passed; 0 failed; …`, one for each test program.
pub fn of_cargo(output: &str) -> Counts {
    let mut counts = Counts::default();
    for line in output.lines().filter(|line| line.contains("test result: ")) {
        let before = |word: &str| line.split_once(word).and_then(|(before, _)| last_number(before));
        counts.passed += before(" passed;").unwrap_or(0);
        counts.failed += before(" failed;").unwrap_or(0);
    }
    counts
}

/// The totals that Node's `tap` reporter ends with: `# pass 3`, `# fail 0`, `# cancelled 0`.
pub fn of_tap(output: &str) -> Counts {
    let total = |name: &str| {
        let totals = output.lines().rev().filter_map(|line| line.strip_prefix("# "));
        totals.filter_map(|line| line.strip_prefix(name)?.parse().ok()).next().unwrap_or(0)
    };
    Counts { passed: total("pass "), failed: total("fail ") + total("cancelled ") }
}

/// The sum over the table of `cargo xtask conformance`, whose lines end with the numbers of tests
/// that passed, that ran, and that are exempt.
pub fn of_conformance(output: &str) -> Counts {
    let mut counts = Counts::default();
    for line in output.lines() {
        let numbers = line.split_whitespace().map(|word| word.parse::<usize>().ok());
        let numbers: Vec<Option<usize>> = numbers.collect();
        if let [.., Some(passed), Some(run), Some(exempt)] = numbers[..] {
            counts += Counts { passed, failed: run.saturating_sub(passed + exempt) };
        }
    }
    counts
}

fn last_number(text: &str) -> Option<usize> {
    text.split_whitespace().next_back()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_counts_are_summed_over_the_test_programs() {
        let output = "\
running 3 tests
test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
running 3 tests
test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
";
        assert_eq!(of_cargo(output), Counts { passed: 4, failed: 2 });
    }

    #[test]
    fn conformance_counts_what_neither_passed_nor_is_exempt_as_failed() {
        let output = "\
version  transport          codec             passed    run exempt
5.2.2    direct             json                 546    580     34
7.0.0    message-port       cbor                 597    634     35
";
        assert_eq!(of_conformance(output), Counts { passed: 1143, failed: 2 });
    }

    #[test]
    fn output_without_results_counts_nothing() {
        assert_eq!(of_cargo("error[E0425]: cannot find value"), Counts::default());
        assert_eq!(of_tap("SyntaxError: Unexpected token"), Counts::default());
    }

    #[test]
    fn a_cancelled_node_test_counts_as_failed() {
        let output = "# a log line\n1..9\n# tests 9\n# pass 6\n# fail 2\n# cancelled 1\n# todo 0\n";
        assert_eq!(of_tap(output), Counts { passed: 6, failed: 3 });
    }

    #[test]
    fn what_a_test_logs_is_not_taken_for_the_totals() {
        let output = "# pass 100\nok 1 - logs\n# pass 1\n# fail 0\n# cancelled 0\n";
        assert_eq!(of_tap(output), Counts { passed: 1, failed: 0 });
    }
}
