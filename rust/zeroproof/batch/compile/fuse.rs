//! Fusion of instructions. An instruction that takes the place of several rounds as often as they did.

use super::code::{Code, Instruction, Source};
use crate::op::Op;

/// Products and polynomials.
pub(crate) fn fuse(code: &mut Code, registers: u32) {
    let uses = count_uses(code, registers);
    products(code, &uses);
    polynomials(code, &uses);
}

/// How often each register is read.
fn count_uses(code: &mut Code, registers: u32) -> Vec<u32> {
    let mut uses = vec![0; registers as usize];
    let mut count = |source: &Source| {
        if let Source::Slot(register) = source {
            uses[*register as usize] += 1;
        }
    };
    for instruction in &mut code.instructions {
        instruction.visit(|source| count(source), |_| ());
    }
    code.lists.iter().for_each(&mut count);
    code.for_each_result(|source| count(source));
    uses
}

/// Puts a product and the one sum that uses it into one instruction.
fn products(code: &mut Code, uses: &[u32]) {
    let mut product = vec![None; uses.len()];
    let mut fused = vec![false; uses.len()];
    for instruction in &mut code.instructions {
        match *instruction {
            Instruction::Value { op: Op::Mul, to, a, b } if uses[to as usize] == 1 => {
                product[to as usize] = Some((a, b));
            }
            Instruction::Value { op: Op::Add, to, a, b } => {
                for (factors, c) in [(b, a), (a, b)] {
                    if let Source::Slot(register) = factors
                        && let Some((a, b)) = product[register as usize]
                    {
                        fused[register as usize] = true;
                        *instruction = Instruction::MulAdd { to, a, b, c };
                        break;
                    }
                }
            }
            _ => {}
        }
    }
    code.instructions.retain(|instruction| {
        !matches!(instruction, Instruction::Value { op: Op::Mul, to, .. } if fused[*to as usize])
    });
}

/// Puts the steps of Horner's rule into one instruction, if nobody reads what is between them.
fn polynomials(code: &mut Code, uses: &[u32]) {
    let is_uniform = |source| matches!(source, Source::Uniform(_));
    // By register: the variable, and the coefficients from the innermost on.
    let mut steps: Vec<Option<(Source, Vec<Source>)>> = vec![None; uses.len()];
    let mut fused = vec![false; uses.len()];
    for instruction in &code.instructions {
        let Instruction::MulAdd { to, a, b, c } = *instruction else { continue };
        for (a, b) in [(a, b), (b, a)] {
            if is_uniform(a) || !is_uniform(c) {
                continue;
            }
            if is_uniform(b) {
                steps[to as usize] = Some((a, vec![b, c]));
            } else if let Source::Slot(inner) = b
                && uses[inner as usize] == 1
                && let Some((_, inner_coefficients)) = steps[inner as usize].take_if(|(of, _)| *of == a)
            {
                fused[inner as usize] = true;
                let mut coefficients = inner_coefficients;
                coefficients.push(c);
                steps[to as usize] = Some((a, coefficients));
            }
        }
    }
    code.instructions
        .retain(|instruction| !matches!(instruction, Instruction::MulAdd { to, .. } if fused[*to as usize]));
    for instruction in &mut code.instructions {
        if let Instruction::MulAdd { to, .. } = *instruction
            && let Some((a, coefficients)) = steps[to as usize].take().filter(|(_, c)| c.len() > 2)
        {
            let start = code.lists.len() as u32;
            code.lists.extend(coefficients);
            *instruction = Instruction::Polynomial { to, a, list: (start, code.lists.len() as u32) };
        }
    }
}
