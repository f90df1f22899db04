//! Native code as text: machine instructions beside those of the program that they come from.

use super::expand::Rule;
use super::program::{Assembled, Key, listed};
use super::regions::{Allocated, Region};
use super::steps::OF_RESULTS;
use super::vectors::Vectors;
use crate::batch::compile::plan::Plan;
use std::fmt::Write;

/// The width of the column of machine instructions.
const COLUMN: usize = 52;

/// The native code of a plan in Mask-REAL mode, for such vectors.
///
/// # Errors
/// Why there is none.
pub(crate) fn listing(plan: &Plan, vectors: Vectors) -> Result<String, String> {
    let outputs = plan.program.outputs().len();
    let value_widths = if plan.total().is_some() { vec![] } else { vec![1; outputs] };
    let key = Key { vectors, rule: Rule::Classical, measures: false, value_widths };
    let mut text = String::new();
    for part in listed(plan, &key)? {
        match part {
            Assembled::Native(piece) => native(plan, vectors, &piece, &mut text),
            Assembled::Interpreted(range) => {
                let _ = writeln!(text, "; by the interpreter, a block at a time:");
                for instruction in &plan.code.instructions[range] {
                    let _ = writeln!(text, ";   {}", plan.code.text_of(instruction, &plan.program));
                }
            }
        }
    }
    text.truncate(text.trim_end().len());
    Ok(text)
}

fn native(plan: &Plan, vectors: Vectors, piece: &Allocated, text: &mut String) {
    let lanes = vectors.bytes() / size_of::<f64>();
    let name = if vectors == Vectors::Avx2 { "AVX2" } else { "AVX-512" };
    // What is written to a String does not fail.
    let _ = writeln!(
        text,
        "; {name}, {} bytes, {} vectors of {lanes} samples a turn; pointers from [rdi]:",
        piece.code.len(),
        piece.turns.at_once
    );
    for (number, &region) in piece.kinds.iter().enumerate() {
        let _ = writeln!(text, ";   [rdi+{:#x}] {}", 8 * number, name_of(plan, region));
    }
    let mut last = None;
    for listed in &piece.listing {
        let comes_from = listed.origin.filter(|_| listed.origin != last);
        last = listed.origin;
        let Some((instruction, vector)) = comes_from else {
            let _ = writeln!(text, "{}", listed.text);
            continue;
        };
        let formula = match instruction {
            OF_RESULTS => "results, and whether they are REAL".to_owned(),
            number => plan.code.text_of(&plan.code.instructions[number as usize], &plan.program),
        };
        let mark = if piece.turns.at_once > 1 { format!("{vector}: ") } else { String::new() };
        let _ = writeln!(text, "{:COLUMN$}; {mark}{formula}", listed.text);
    }
}

fn name_of(plan: &Plan, region: Region) -> String {
    match region {
        Region::Frame => "constants, and what registers do not hold".to_owned(),
        Region::Uniforms => "numbers that are the same for every sample".to_owned(),
        Region::Lanes => "totals by lane".to_owned(),
        Region::Irregular => "samples that are not regular, by vector".to_owned(),
        Region::Any => "whether any is not".to_owned(),
        Region::Saturated(_) => "samples with bounded partials, by vector".to_owned(),
        Region::Suspected(_) => "samples in doubt, by vector".to_owned(),
        Region::Column(argument) => plan.program.arguments()[argument as usize].name.clone(),
        Region::Element(element) => format!("element {element} of rows"),
        Region::Slot(slot) => format!("s{slot}"),
        Region::Output(number) => match (number as usize).checked_sub(plan.code.values.len()) {
            None => format!("value {number}"),
            Some(derivative) => format!("derivative {derivative}"),
        },
    }
}
