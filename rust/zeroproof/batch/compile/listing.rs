//! Instructions as text.

use super::code::{Code, Instruction, Source, Uniform};
use crate::batch::program::Program;

impl Code {
    /// An instruction with names for its sources: `s` is a slot, `u` a number that is the same for every sample.
    pub fn text_of(&self, instruction: &Instruction, program: &Program) -> String {
        let mut instruction = *instruction;
        let (mut from, mut to) = (vec![], vec![]);
        if let Some((start, end)) = instruction.list() {
            from.extend_from_slice(&self.lists[start as usize..end as usize]);
        }
        instruction.visit(|source| from.push(*source), |slot| to.push(format!("s{slot}")));
        let mut from: Vec<_> = from.into_iter().map(|source| self.name_of(source, program)).collect();
        let name = match instruction {
            Instruction::Load { argument, element, .. } => {
                from.push(format!("{}[{element}]", program.arguments()[argument as usize].name));
                "load".to_owned()
            }
            Instruction::Value { op, .. } => {
                from.truncate(op.arity().operands());
                op.name().to_owned()
            }
            Instruction::MulAdd { .. } => "multiply_add".to_owned(),
            Instruction::Polynomial { .. } => "polynomial".to_owned(),
            Instruction::SinCos { .. } => "sin_cos".to_owned(),
            Instruction::Power { n, .. } => {
                from.push(n.to_string());
                "pow_int".to_owned()
            }
            Instruction::Fold { op, .. } => op.name().to_owned(),
            Instruction::Shared { op, .. } => format!("shared {}", op.name()),
            Instruction::Share { op, .. } => format!("share {}", op.name()),
            Instruction::Distance { op, .. } => format!("distance {}", op.name()),
            Instruction::Test { predicate, .. } => predicate.name().to_owned(),
            Instruction::Select { .. } => {
                from.rotate_right(1);
                "where".to_owned()
            }
            Instruction::Adjoint { op, .. } => format!("adjoint {}", op.name()),
            Instruction::Quotient { .. } => "tangent div".to_owned(),
            Instruction::Entries { op, .. } => format!("second partials {}", op.name()),
            Instruction::Term { .. } => "term".to_owned(),
        };
        format!("{} = {name}({})", to.join(", "), from.join(", "))
    }

    fn name_of(&self, source: Source, program: &Program) -> String {
        match source {
            Source::Slot(slot) => format!("s{slot}"),
            Source::Column(argument) => program.arguments()[argument as usize].name.clone(),
            Source::Uniform(number) => match self.uniforms[number as usize] {
                Uniform::Number(number) => crate::TrScalar::from_ieee(number).to_string(),
                Uniform::Node(_) => format!("u{number}"),
            },
        }
    }
}
