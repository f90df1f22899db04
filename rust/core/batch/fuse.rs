//! Fusion of instructions.

use super::code::{Code, Instruction, Source};
use crate::ops::Op;

/// Puts a product and the one sum that uses it into one instruction, which rounds both.
pub(super) fn products(code: &mut Code, registers: u32) {
    let mut uses = vec![0u32; registers as usize];
    let mut count = |source: &Source| {
        if let Source::Slot(register) = source {
            uses[*register as usize] += 1;
        }
    };
    for instruction in &mut code.instructions {
        instruction.visit(|source| count(source), |_| ());
    }
    code.values.iter().chain(&code.checks).chain(&code.lists).for_each(&mut count);
    code.derivatives.iter().filter_map(|d| d.source.as_ref()).for_each(&mut count);
    code.sites.iter().for_each(|site| {
        count(&site.pole);
        site.coordinates.iter().for_each(&mut count);
    });

    let mut product = vec![None; registers as usize];
    let mut kept: Vec<Instruction> = Vec::with_capacity(code.instructions.len());
    let mut dead = vec![false; registers as usize];
    for &instruction in &code.instructions {
        let mut instruction = instruction;
        match instruction {
            Instruction::Value { op: Op::Mul, to, a, b } if uses[to as usize] == 1 => {
                product[to as usize] = Some((a, b));
            }
            Instruction::Value { op: Op::Add, to, a, b } => {
                let of = |source| match source {
                    Source::Slot(r) => product[r as usize].map(|factors| (r, factors)),
                    _ => None,
                };
                let found = of(b).map(|p| (p, a)).or_else(|| of(a).map(|p| (p, b)));
                if let Some(((register, (a, b)), c)) = found {
                    dead[register as usize] = true;
                    instruction = Instruction::MulAdd { to, a, b, c };
                }
            }
            _ => {}
        }
        kept.push(instruction);
    }
    kept.retain(|instruction| {
            !matches!(instruction, Instruction::Value { op: Op::Mul, to, .. } if dead[*to as usize])
        });
    code.instructions = kept;
}
